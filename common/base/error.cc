#include "common/base/error.h"

#include <cerrno>
#include <system_error>

#include <sysexits.h>

namespace holdfast::base {
namespace {

Kind kind_of(int err) {
  switch (err) {
    case ENOSPC:
    case EDQUOT:
      return Kind::kNoSpace;
    case ENOENT:
      return Kind::kNotFound;
    case EACCES:
    case EPERM:
    case EROFS:
      return Kind::kPermission;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
      return Kind::kTemporary;
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case ENETUNREACH:
      return Kind::kUnavailable;
    default:
      return Kind::kInternal;
  }
}

}  // namespace

std::unexpected<Error> fail_errno(std::string_view what, int err) {
  return fail(kind_of(err), std::string(what) + ": " + std::generic_category().message(err));
}

int exit_code(Kind kind) {
  switch (kind) {
    case Kind::kUsage: return EX_USAGE;
    case Kind::kData: return EX_DATAERR;
    case Kind::kNotFound: return EX_NOUSER;
    case Kind::kUnavailable: return EX_UNAVAILABLE;
    case Kind::kInternal: return EX_SOFTWARE;
    case Kind::kNoSpace: return EX_TEMPFAIL;
    case Kind::kTemporary: return EX_TEMPFAIL;
    case Kind::kPermission: return EX_NOPERM;
    case Kind::kConfig: return EX_CONFIG;
  }
  return EX_SOFTWARE;
}

}  // namespace holdfast::base
