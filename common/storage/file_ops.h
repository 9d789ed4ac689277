// The system calls that the spool's promises hang on, behind a seam, so that a test can let each of them
// fail, fall short or be the last one before the power goes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/error.h"
#include "common/base/file.h"

namespace holdfast::storage {

class FileOps {
 public:
  virtual ~FileOps() = default;
  virtual base::Result<base::UniqueFd> create(const std::string& path);  // O_EXCL, read and write
  virtual base::Status write(int fd, std::string_view bytes, std::uint64_t offset);  // all of it
  virtual base::Status sync_data(int fd);
  virtual base::Status sync(int fd);
  virtual base::Status cut(int fd, std::uint64_t length);
  virtual base::Status rename(const std::string& from, const std::string& to);
  virtual base::Status sync_folder(const std::string& path);
};

FileOps& real_file_ops();

}  // namespace holdfast::storage
