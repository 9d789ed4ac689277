// The one error idiom of Holdfast: what can fail returns Result; absence is std::optional; what should
// never happen is panic() (panic.h). An Error's kind alone decides between a 4xx and a 5xx, and gives
// the exit code of a command.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace holdfast::base {

enum class Kind {
  kUsage,        // the caller's words are wrong (exit 64, 501)
  kData,         // bytes that are not what they should be: a damaged record, a bad message (exit 65)
  kNotFound,     // no such message, recipient, destination (exit 67)
  kUnavailable,  // the other side does not answer (exit 69, 451)
  kInternal,     // a failure of our own (exit 70, 451)
  kNoSpace,      // disk, inodes, map or quota are full (exit 75, 452)
  kTemporary,    // may go well later (exit 75, 451)
  kPermission,   // (exit 77)
  kConfig,       // the configuration is wrong (exit 78)
};

struct Error {
  Kind kind = Kind::kInternal;
  std::string text;  // one line for the log and the admin, without a final full stop
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

inline std::unexpected<Error> fail(Kind kind, std::string text) {
  return std::unexpected(Error{kind, std::move(text)});
}

// The error of a failed system call: `what` and strerror(err); ENOSPC, EDQUOT are kNoSpace, ENOENT
// kNotFound, EACCES and EPERM kPermission, ECONNREFUSED and its like kUnavailable, a lack of descriptors or memory
// kTemporary, the rest kInternal.
std::unexpected<Error> fail_errno(std::string_view what, int err);

// The sysexits.h code of a kind.
int exit_code(Kind kind);

}  // namespace holdfast::base
