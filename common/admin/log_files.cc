#include "common/admin/log_files.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <optional>
#include <tuple>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "common/base/text.h"

namespace holdfast::admin {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPiece = 256 << 10;

// "qmgr.log", "qmgr.log.1", "qmgr.log.2.gz"; nothing for any other name.
std::optional<LogFile> log_file(const std::string& folder, const std::string& file_name) {
  LogFile out{.path = folder + "/" + file_name, .name = {}};
  std::string_view rest = file_name;
  const auto end = rest.find(".log");
  if (end == rest.npos || end == 0) return std::nullopt;
  out.name = rest.substr(0, end);
  if (!std::ranges::all_of(out.name, [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; })) return std::nullopt;
  rest.remove_prefix(end + 4);
  if (rest.ends_with(".gz")) {
    out.packed = true;
    rest.remove_suffix(3);
  }
  if (rest.empty()) return out;
  const auto number = rest.front() == '.' ? base::to_number(rest.substr(1)) : std::nullopt;
  if (!number || *number > 100'000) return std::nullopt;
  out.age = static_cast<unsigned>(*number);
  return out;
}

// Gives the whole lines of `partial` and keeps the rest.
void cut_lines(std::string& partial, const LineVisit& visit) {
  std::size_t start = 0;
  for (auto end = partial.find('\n'); end != partial.npos; end = partial.find('\n', start)) {
    visit(std::string_view(partial).substr(start, end - start));
    start = end + 1;
  }
  partial.erase(0, start);
}

base::Status interrupted() { return base::fail(base::Kind::kTemporary, "there is too much to be read in the time given"); }

base::Status read_all(int fd, const std::string& path, std::string& partial, const LineVisit& visit,
                      const GoOn& go_on) {
  std::string piece(kPiece, '\0');
  while (go_on()) {
    const ssize_t n = ::read(fd, piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::fail_errno(path, errno);
    if (n == 0) return {};
    partial.append(piece, 0, static_cast<std::size_t>(n));
    cut_lines(partial, visit);
  }
  return interrupted();
}

base::Status read_packed(const LogFile& file, const LineVisit& visit, const GoOn& go_on) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> packed(::gzopen(file.path.c_str(), "rbe"), ::gzclose);
  if (!packed) return base::fail_errno(file.path, errno);
  std::string partial, piece(kPiece, '\0');
  while (go_on()) {
    const int n = ::gzread(packed.get(), piece.data(), static_cast<unsigned>(piece.size()));
    if (n < 0) return base::fail(base::Kind::kData, file.path + ": damaged");
    if (n == 0) return {};
    partial.append(piece, 0, static_cast<std::size_t>(n));
    cut_lines(partial, visit);
  }
  return interrupted();
}

}  // namespace

base::Result<std::vector<LogFile>> list_log_files(const std::string& folder) {
  std::vector<LogFile> out;
  std::error_code ec;
  for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
    auto file = log_file(folder, it->path().filename().string());
    struct stat about {};
    if (!file || ::stat(file->path.c_str(), &about) != 0 || !S_ISREG(about.st_mode)) continue;
    file->written_s = about.st_mtime;
    out.push_back(std::move(*file));
  }
  if (ec) return base::fail_errno(folder, ec.value());
  std::ranges::sort(out, [](const auto& a, const auto& b) {
    return std::tuple(a.name, b.age, a.path) < std::tuple(b.name, a.age, b.path);
  });
  return out;
}

base::Status read_lines(const LogFile& file, const LineVisit& visit, const GoOn& go_on) {
  if (file.packed) return read_packed(file, visit, go_on);
  LogTail whole(file.path);
  return whole.read_on(visit, go_on);
}

base::Status LogTail::read_on(const LineVisit& visit, const GoOn& go_on) {
  struct stat there {
  }, open{};
  const bool exists = ::stat(path_.c_str(), &there) == 0;
  if (fd_) {
    if (auto done = read_rest(visit, go_on); !done) return done;
    const bool same =
        ::fstat(fd_.get(), &open) == 0 && exists && open.st_ino == there.st_ino && open.st_dev == there.st_dev;
    if (same || !exists) return {};
  }
  if (!exists) return {};
  fd_.reset(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  partial_.clear();
  if (!fd_) return base::fail_errno(path_, errno);
  return read_rest(visit, go_on);
}

base::Status LogTail::read_rest(const LineVisit& visit, const GoOn& go_on) {
  return read_all(fd_.get(), path_, partial_, visit, go_on);
}

base::Result<FolderWatch> FolderWatch::open(const std::string& folder) {
  base::UniqueFd fd(::inotify_init1(IN_CLOEXEC));
  if (!fd) return base::fail_errno("inotify", errno);
  if (::inotify_add_watch(fd.get(), folder.c_str(), IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
    return base::fail_errno(folder, errno);
  return FolderWatch(std::move(fd));
}

base::Status FolderWatch::wait() const {
  char events[4096];
  for (;;) {
    if (::read(fd_.get(), events, sizeof events) > 0) return {};
    if (errno != EINTR) return base::fail_errno("inotify", errno);
  }
}

}  // namespace holdfast::admin
