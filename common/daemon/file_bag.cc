#include "common/daemon/file_bag.h"

#include <cerrno>
#include <cstdint>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/codec.h"
#include "common/base/handed_files.h"

namespace holdfast::daemon {
namespace {

constexpr std::size_t kMostBytes = 256 << 20;

struct File {
  std::string path;
  bool read = false;
  std::string content;  // or the error's words
  std::int32_t kind = 0;
  template <class V>
  void fields(V&& v) { v(path, read, content, kind); }
};

struct Bag {
  std::vector<File> files;
  template <class V>
  void fields(V&& v) { v(files); }
};

File read_one(const std::string& path) {
  auto content = base::read_file(path);
  if (content) return {.path = path, .read = true, .content = std::move(*content)};
  return {.path = path, .read = false, .content = content.error().text, .kind = static_cast<std::int32_t>(content.error().kind)};
}

base::Result<std::string> read_all(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return base::fail_errno("handed files", errno);
  if (info.st_size < 0 || static_cast<std::uint64_t>(info.st_size) > kMostBytes) {
    return base::fail(base::Kind::kData, "handed files: longer than expected");
  }
  std::string out(static_cast<std::size_t>(info.st_size), '\0');
  // Others have the same descriptor, and with it the same place in the file.
  for (std::size_t done = 0; done < out.size();) {
    const ssize_t n = ::pread(fd, out.data() + done, out.size() - done, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return base::fail_errno("handed files", n < 0 ? errno : EIO);
    done += static_cast<std::size_t>(n);
  }
  return out;
}

}  // namespace

base::Result<base::UniqueFd> pack_files(const std::vector<std::string>& paths) {
  Bag bag;
  for (const auto& path : paths) bag.files.push_back(read_one(path));
  base::UniqueFd fd(::memfd_create("holdfast-files", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return base::fail_errno("memfd_create", errno);
  if (auto written = base::write_all(fd.get(), base::encode(bag)); !written) return std::unexpected(written.error());
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return base::fail_errno("seal", errno);
  }
  return fd;
}

base::Status unpack_files(int fd) {
  const auto bytes = read_all(fd);
  if (!bytes) return std::unexpected(bytes.error());
  auto bag = base::decode<Bag>(*bytes);
  if (!bag) return base::fail(base::Kind::kData, "handed files: cannot be understood");
  base::HandedFiles out;
  for (auto& file : bag->files) {
    if (file.read) {
      out.emplace(std::move(file.path), std::move(file.content));
    } else {
      out.emplace(std::move(file.path), base::fail(static_cast<base::Kind>(file.kind), std::move(file.content)));
    }
  }
  base::hand_over(std::move(out));
  return {};
}

}  // namespace holdfast::daemon
