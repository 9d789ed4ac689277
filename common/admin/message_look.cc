#include "common/admin/message_look.h"

#include <array>

#include "common/admin/content_reader.h"
#include "common/mail/header_gate.h"

namespace holdfast::admin {
namespace {

constexpr std::size_t kMostMark = 64;

std::optional<mail::QueueId> original_of(const storage::Record& record) {
  std::array<char, kMostMark> begin{};
  const auto n = record.read_content(0, begin);
  return n ? admin::original_of(std::string_view(begin.data(), *n)) : std::nullopt;
}

// smtpd writes the copies of a message right behind it, in one go (decision 27).
std::vector<MadeCopy> copies_behind(const Gateway& gateway, const storage::Record& original) {
  std::vector<MadeCopy> out;
  const auto ref = original.ref();
  auto segment = storage::Segment::open(storage::segments_folder(gateway.config().paths.spool), {ref.writer, ref.segment});
  if (!segment) return out;
  for (auto at = ref.offset + storage::padded(ref.length);;) {
    const auto record = storage::Record::read_at(*segment, at);
    if (!record || original_of(*record) != original.header().id || record->envelope().recipients.empty()) return out;
    const auto& envelope = record->envelope();
    out.push_back({.id = record->header().id, .to = envelope.recipients.front().address, .of = envelope.sender});
    at += storage::padded(record->header().length());
  }
}

}  // namespace

std::optional<mail::QueueId> original_of(std::string_view content) {
  if (!content.starts_with(mail::kCopyField)) return std::nullopt;
  content.remove_prefix(mail::kCopyField.size());
  return mail::QueueId::parse(content.substr(0, content.find("\r\n")));
}

std::optional<RecordTold> look_into(const Gateway& gateway, const storage::Listed& item) {
  const auto record = open_record(gateway, item);
  if (!record) return std::nullopt;
  RecordTold out{.envelope = record->envelope(), .copy_of = original_of(*record), .copies = copies_behind(gateway, *record)};
  if (out.copies.empty()) return out;
  const auto known = gateway.read_queue([&](const storage::QueueIndex& index, const storage::Txn& txn) {
    for (auto& copy : out.copies) copy.queued = index.message(txn, copy.id).has_value();
  });
  if (!known) out.copies.clear();  // what cannot be known is not told
  return out;
}

}  // namespace holdfast::admin
