// What a damaged index still says soundly, for index_rebuild.h. It is read in a process of its own, since a damaged
// database may end whoever reads it, and written to an environment beside it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/storage/queue_index.h"

namespace holdfast::storage {

// A message's rows, all of them with sound checksums.
struct SalvagedMessage {
  std::uint64_t id = 0;
  MessageRow row;
  std::vector<RecipientState> recipients;
  bool owed = false;

  template <class V>
  void fields(V&& v) { v(id, row, recipients, owed); }
};

class Salvage {
 public:
  // Reads the index in `from` as far as it can be read, and keeps what it finds in `folder`, which is made anew.
  // Single-threaded callers only: it forks.
  static base::Result<std::unique_ptr<Salvage>> make(const std::string& from, const std::string& folder,
                                                     EnvOptions options);

  // The message whose record lies here.
  std::optional<SalvagedMessage> at(const mail::RecordRef& record) const;
  std::optional<SegmentRow> segment(SegmentId id) const;
  // True when as many messages were found in the segment as its own sound row counts: a record of it that lies before
  // its mark and belongs to none of them is done.
  bool complete(SegmentId id) const;

 private:
  explicit Salvage(std::unique_ptr<Env> env);
  std::unique_ptr<Env> env_;
  std::unique_ptr<ReadTxn> txn_;
};

}  // namespace holdfast::storage
