// A message's bytes in wire format while it is in hand (design.md section 3, "The end of DATA"): in memory
// up to 1 MiB, and up to 64 MiB of all messages of the process together, else in an unnamed file that
// vanishes with the process. Made and filled by one thread; may be moved to another.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/error.h"
#include "common/base/file.h"

namespace holdfast::storage {

struct ContentLimits {
  std::size_t memory = 1 << 20;           // a message
  std::size_t process_memory = 64 << 20;  // all messages
};

class Content {
 public:
  // `folder` is where the unnamed file is made, if one is needed: the spool.
  explicit Content(std::string folder, ContentLimits limits = {});
  ~Content();
  Content(Content&& other) noexcept;
  Content& operator=(Content&& other) noexcept;

  // kNoSpace and the like when the file cannot take it: the message cannot be accepted.
  base::Status append(std::string_view bytes);
  // Put before everything appended (our Received header); replaces an earlier head. In memory always.
  void set_head(std::string head) { head_ = std::move(head); }

  // Another beginning instead of the first `bytes` of all, head included: nothing is copied but the new head.
  void replace_front(std::uint64_t bytes, std::string head);

  std::uint64_t size() const { return head_.size() + body_size_ - left_out_; }
  bool in_file() const { return static_cast<bool>(file_); }
  // Bytes in the memory of this process's Contents together.
  static std::size_t memory_in_use();

 private:
  friend class ContentReader;
  base::Status spill();
  void release();

  std::string folder_;
  ContentLimits limits_;
  std::string head_, body_;
  std::uint64_t body_size_ = 0;
  std::uint64_t left_out_ = 0;  // of the body, at its front
  std::size_t counted_ = 0;  // our part of memory_in_use()
  base::UniqueFd file_;
};

// Reads a Content from its head to its end, any number of times, without changing it.
class ContentReader {
 public:
  explicit ContentReader(const Content& content) : content_(content) {}
  // The next piece, at most 64 KiB, valid until the next call; empty at the end.
  base::Result<std::string_view> next();

 private:
  const Content& content_;
  std::uint64_t position_ = 0;
  std::string buffer_;
};

}  // namespace holdfast::storage
