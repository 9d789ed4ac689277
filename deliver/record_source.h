// The content of a message in the spool, as a connection draws it.
//
// Reads block: the record was read whole a moment ago for its checksum, so that its bytes are in the
// kernel's cache, and a piece is 64 KiB.
#pragma once

#include <string>

#include "common/storage/content.h"
#include "common/storage/segment_reader.h"
#include "common/upstream/connection.h"

namespace holdfast::deliver {

class RecordSource final : public upstream::ContentSource {
 public:
  explicit RecordSource(storage::Record record) : record_(std::move(record)) {}
  base::Result<std::string_view> next() override;

  const storage::Record& record() const { return record_; }

 private:
  storage::Record record_;
  std::uint64_t position_ = 0;
  std::string buffer_;
};

// What filters have made of it.
class ScannedSource final : public upstream::ContentSource {
 public:
  explicit ScannedSource(const storage::Content& content) : reader_(content) {}
  base::Result<std::string_view> next() override { return reader_.next(); }

 private:
  storage::ContentReader reader_;
};

}  // namespace holdfast::deliver
