// Descriptors and small files. Everything here blocks: never call it from an event loop on a path that
// mail takes, except where the header of the caller says why.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/error.h"

namespace holdfast::base {

// Owns a descriptor.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

// Whole files up to `limit` bytes; a longer one is kData.
Result<std::string> read_file(const std::string& path, std::size_t limit = 16 << 20);
// Written beside, fsynced, renamed, the folder fsynced: after a crash the old or the new content, whole.
Status replace_file(const std::string& path, std::string_view content, unsigned mode = 0640);
Status write_all(int fd, std::string_view bytes);
Status pwrite_all(int fd, std::string_view bytes, std::uint64_t offset);
Status fsync_folder(const std::string& path);
// Like mkdir -p; what is there already is left as it is. Names that were made are durable.
Status make_folders(const std::string& path, unsigned mode = 0750);

}  // namespace holdfast::base
