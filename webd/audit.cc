#include "webd/audit.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/admin/text_json.h"
#include "common/base/log.h"

namespace holdfast::webd {
namespace {

constexpr std::uint64_t kPiece = 256 << 10;
constexpr std::size_t kLongest = 4000;  // of a detail

using admin::json;

base::Result<std::string> read_piece(int fd, std::uint64_t from, std::uint64_t to) {
  std::string out(to - from, '\0');
  for (std::size_t done = 0; done < out.size();) {
    const ssize_t n = ::pread(fd, out.data() + done, out.size() - done, static_cast<off_t>(from + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return base::fail_errno("the audit log", n < 0 ? errno : EIO);
    done += static_cast<std::size_t>(n);
  }
  return out;
}

}  // namespace

void Audit::write(const Entry& entry, std::int64_t now_ms) {
  const std::string line = admin::dump_line({{"time", admin::time_json(now_ms)},
                                             {"name", entry.name},
                                             {"role", entry.role},
                                             {"address", entry.address},
                                             {"action", entry.action},
                                             {"detail", entry.detail.substr(0, kLongest)},
                                             {"result", entry.result}});
  const std::lock_guard lock(door_);
  if (!fd_) fd_.reset(::open(file_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640));
  const auto done = fd_ ? base::write_all(fd_.get(), line) : base::fail_errno(file_, errno);
  if (!done) base::log().error("not in the audit log: " + line + ": " + done.error().text);
}

void Audit::reopen() {
  const std::lock_guard lock(door_);
  fd_.reset();
}

base::Result<AuditPage> read_audit(const std::string& file, std::uint64_t before, std::size_t limit) {
  AuditPage out;
  const base::UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return errno == ENOENT ? base::Result<AuditPage>(out) : base::fail_errno(file, errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return base::fail_errno(file, errno);
  const auto size = static_cast<std::uint64_t>(info.st_size);
  const std::uint64_t end = before == 0 ? size : std::min(before, size);
  const std::uint64_t start = end > kPiece ? end - kPiece : 0;
  const auto piece = read_piece(fd.get(), start, end);
  if (!piece) return std::unexpected(piece.error());
  std::size_t stop = piece->size();
  while (stop > 0 && out.lines.size() < limit) {
    const std::size_t newline = stop >= 2 ? piece->rfind('\n', stop - 2) : piece->npos;
    if (newline == piece->npos && start > 0) break;  // its beginning is in the piece before
    const std::size_t first = newline == piece->npos ? 0 : newline + 1;
    const std::string line = piece->substr(first, stop - first - 1);
    if (json::accept(line)) out.lines.push_back(line);
    stop = first;
  }
  out.next = start + stop;
  if (out.lines.empty() && stop == piece->size() && start > 0) out.next = start;  // a line longer than a piece: none of ours
  return out;
}

}  // namespace holdfast::webd
