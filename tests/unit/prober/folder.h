// A folder that lives as long as the test.
#pragma once

#include <filesystem>
#include <string>

#include <stdlib.h>

#include "common/base/panic.h"

namespace holdfast::prober::test {

class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "holdfast-XXXXXX").string();
    base::expect(::mkdtemp(pattern.data()) != nullptr, "mkdtemp");
    path_ = pattern;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace holdfast::prober::test
