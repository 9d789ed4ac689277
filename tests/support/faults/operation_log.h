// What lossyfs writes down: every change of the file system, in order. tests/support/power_cut.py reads it.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace holdfast::faults {

enum class Change : std::uint32_t {
  kCreate = 1,      // node, in folder, as name
  kMakeFolder = 2,  // the same
  kWrite = 3,       // node, offset, data
  kDurableWrite = 4,  // the same by a descriptor with O_DSYNC: durable when it is done
  kTruncate = 5,    // node, offset: its new length
  kAllocate = 6,    // node, offset: the length it has at least
  kPunch = 7,       // node, offset, length: zeros from now on
  kSync = 8,        // node: file or folder
  kRename = 9,      // node, from folder and name to other and data (the new name)
  kRemove = 10,     // node, from folder and name
  kMark = 11,       // data: what a test has written to /.mark
  kLink = 12,       // node, in folder, as one more name
};

// Little-endian, followed by the name and the data.
struct Entry {
  Change change{};
  std::uint32_t name_length = 0;
  std::uint64_t node = 0, folder = 0, other = 0, offset = 0, length = 0, data_length = 0;
};
static_assert(sizeof(Entry) == 56);

// Buffered: complete when the object is gone.
class OperationLog {
 public:
  explicit OperationLog(const std::string& path) : file_(std::fopen(path.c_str(), "wb")) {}
  ~OperationLog() {
    if (file_ != nullptr) std::fclose(file_);
  }
  OperationLog(const OperationLog&) = delete;
  OperationLog& operator=(const OperationLog&) = delete;

  bool ok() const { return file_ != nullptr && std::ferror(file_) == 0; }
  void add(Entry entry, std::string_view name = {}, std::string_view data = {}) {
    entry.name_length = static_cast<std::uint32_t>(name.size());
    entry.data_length = data.size();
    std::fwrite(&entry, sizeof entry, 1, file_);
    put(name);
    put(data);
  }
  void flush() { std::fflush(file_); }

 private:
  void put(std::string_view bytes) {
    if (!bytes.empty()) std::fwrite(bytes.data(), 1, bytes.size(), file_);  // an empty view may have no data()
  }

  std::FILE* file_;
};

}  // namespace holdfast::faults
