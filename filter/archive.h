// The files in an archive, by libarchive, out of memory and into memory.
#pragma once

#include <string>
#include <string_view>

#include "filter/budget.h"

namespace holdfast::filter {

class ArchiveVisitor {
 public:
  virtual ~ArchiveVisitor() = default;
  // A file's name as it is written there, in UTF-8 if that can be told; folders and links are entries, too. False: enough
  // has been seen.
  virtual bool on_name(const std::string& name) = 0;
  // Whether the content of more than kShort bytes is wanted whole, by its first kShort bytes.
  virtual bool wants(const std::string& name, std::string_view head) = 0;
  // All of it, or its beginning. False: enough has been seen.
  virtual bool on_content(const std::string& name, std::string_view content, bool whole) = 0;
};

struct ArchiveResult {
  bool encrypted = false;  // some of it can't be read without a password
  bool damaged = false;    // some of it can't be read, or the budget is spent
};

// What is held of one file at most, and what of it is always held.
inline constexpr std::size_t kLongestEntry = 64 << 20, kShort = 1 << 20;

// `bytes` is something that is_archive(); `name` its own, after which a compressed file is called.
ArchiveResult walk_archive(std::string_view bytes, std::string_view name, ArchiveVisitor& visitor, Budget& budget);

}  // namespace holdfast::filter
