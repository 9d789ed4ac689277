#include "common/filtering/edits.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"
#include "common/milter/header_editor.h"

namespace holdfast::filtering {
namespace {

using milter::Edit;

bool of_header(const Edit& edit) {
  return edit.kind == Edit::Kind::kAddHeader || edit.kind == Edit::Kind::kInsertHeader || edit.kind == Edit::Kind::kChangeHeader;
}

base::Result<std::string> read_front(const storage::Content& content, std::uint64_t bytes) {
  storage::ContentReader reader(content);
  std::string out;
  while (out.size() < bytes) {
    const auto piece = reader.next();
    if (!piece) return std::unexpected(piece.error());
    if (piece->empty()) break;
    out.append(piece->substr(0, bytes - out.size()));
  }
  return out;
}

// Filters write addresses with brackets or without.
std::string bare(std::string_view address) {
  if (address.starts_with('<') && address.ends_with('>')) address = address.substr(1, address.size() - 2);
  return std::string(address);
}

void note(const Edit& edit, EnvelopeChanges& changes) {
  switch (edit.kind) {
    case Edit::Kind::kChangeFrom: changes.sender = bare(edit.value); break;
    case Edit::Kind::kAddRcpt: changes.added.push_back({bare(edit.value), edit.parameters}); break;
    case Edit::Kind::kDeleteRcpt: {
      // He may have been added by a filter before, or be one of the message's own, or both.
      auto gone = bare(edit.value);
      std::erase_if(changes.added, [&](const AddedRecipient& one) { return base::iequals(one.address, gone); });
      changes.deleted.push_back(std::move(gone));
      break;
    }
    case Edit::Kind::kQuarantine:
      if (!changes.quarantine) changes.quarantine = edit.value;
      break;
    default: break;
  }
}

}  // namespace

std::string body_to_wire(std::string_view plain) {
  std::string out;
  out.reserve(plain.size() + plain.size() / 64 + 2);
  bool start = true;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const char c = plain[i];
    if (c == '\r' || c == '\n') {
      if (c == '\r' && i + 1 < plain.size() && plain[i + 1] == '\n') ++i;
      out += "\r\n";
      start = true;
      continue;
    }
    if (start && c == '.') out += '.';
    out += c;
    start = false;
  }
  if (!start) out += "\r\n";
  return out;
}

base::Status apply_edits(const milter::Edits& edits, bool leading_space, std::uint64_t body_begins, const std::string& folder,
                         storage::Content& content, EnvelopeChanges& changes) {
  for (const auto& edit : edits.list) note(edit, changes);
  const bool header = std::ranges::any_of(edits.list, of_header);
  if (!header && !edits.body_replaced) return {};
  auto front = read_front(content, body_begins);
  if (!front) return std::unexpected(front.error());
  milter::HeaderEditor editor(*front);
  for (const auto& edit : edits.list) {
    if (of_header(edit)) editor.apply(edit, leading_space);
  }
  std::string head = editor.changed() ? editor.wire() + "\r\n" : std::move(*front);
  if (!edits.body_replaced) {
    if (editor.changed()) content.replace_front(body_begins, std::move(head));
    return {};
  }
  if (!editor.changed() && !head.ends_with("\r\n\r\n") && head != "\r\n") head += "\r\n";  // there was no empty line
  storage::Content fresh(folder);
  if (auto done = fresh.append(body_to_wire(edits.body)); !done) return done;
  fresh.set_head(std::move(head));
  content = std::move(fresh);
  return {};
}

}  // namespace holdfast::filtering
