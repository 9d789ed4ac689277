// What the storage tests share: a folder of their own, messages, and system calls that fail on demand.
#pragma once

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <vector>

#include <stdlib.h>

#include "common/base/panic.h"
#include "common/mail/envelope.h"
#include "common/storage/content.h"
#include "common/storage/file_ops.h"
#include "common/storage/lmdb.h"
#include "common/storage/segment.h"

namespace holdfast::storage::test {

inline constexpr EnvOptions kSmallEnv{.read_only = false, .map_bytes = 64 << 20};
inline constexpr EnvOptions kSmallReader{.read_only = true, .map_bytes = 64 << 20};

class Folder {
 public:
  explicit Folder(const std::filesystem::path& where = std::filesystem::temp_directory_path()) {
    std::string pattern = (where / "holdfast-XXXXXX").string();
    base::expect(::mkdtemp(pattern.data()) != nullptr, "mkdtemp");
    path_ = pattern;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline mail::Envelope envelope(std::string sender = "a@sender.test", std::string recipient = "b@example.test") {
  mail::Envelope e;
  e.sender = std::move(sender);
  e.recipients = {{.address = std::move(recipient), .orcpt = "", .notify = "", .known = true}};
  e.destination = "office";
  e.arrival_ms = 1'000'000;
  e.client_address = "192.0.2.1";
  e.helo = "client.test";
  e.protocol = "ESMTP";
  return e;
}

inline Content content(const std::string& folder, std::string_view body, std::string head = {}) {
  Content c(folder);
  base::expect(c.append(body).has_value(), "append");
  c.set_head(std::move(head));
  return c;
}

inline std::string read_all(const Content& c) {
  std::string out;
  ContentReader reader(c);
  for (;;) {
    const auto piece = reader.next();
    base::expect(piece.has_value(), "read content");
    if (piece->empty()) return out;
    out += *piece;
  }
}

inline std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline void dump(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// Fails the nth call of a kind from now (1 is the next one); writes fall short by half before they fail.
class FaultyOps : public FileOps {
 public:
  std::atomic<int> write_in{0}, sync_data_in{0}, sync_in{0}, cut_in{0}, rename_in{0}, folder_in{0};
  std::atomic<int> syncs{0}, writes{0};

  base::Status write(int fd, std::string_view bytes, std::uint64_t offset) override {
    ++writes;
    if (!due(write_in)) return FileOps::write(fd, bytes, offset);
    (void)FileOps::write(fd, bytes.substr(0, bytes.size() / 2), offset);
    return base::fail_errno("write", ENOSPC);
  }
  base::Status sync_data(int fd) override {
    ++syncs;
    if (due(sync_data_in)) return base::fail_errno("fdatasync", EIO);
    return FileOps::sync_data(fd);
  }
  base::Status sync(int fd) override { return due(sync_in) ? base::fail_errno("fsync", EIO) : FileOps::sync(fd); }
  base::Status cut(int fd, std::uint64_t length) override {
    return due(cut_in) ? base::fail_errno("ftruncate", EIO) : FileOps::cut(fd, length);
  }
  base::Status rename(const std::string& from, const std::string& to) override {
    return due(rename_in) ? base::fail_errno("rename", EIO) : FileOps::rename(from, to);
  }
  base::Status sync_folder(const std::string& path) override {
    return due(folder_in) ? base::fail_errno("fsync", EIO) : FileOps::sync_folder(path);
  }

 private:
  static bool due(std::atomic<int>& countdown) { return countdown > 0 && --countdown == 0; }
};

}  // namespace holdfast::storage::test
