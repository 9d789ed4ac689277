#include "common/milter/header_editor.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"
#include "common/mail/wire_format.h"
#include "common/milter/content_feed.h"

namespace holdfast::milter {

namespace {

// Its lines parted by LF, each but the first beginning with a blank, none of them blank altogether.
std::string folded(std::string_view value) {
  std::string out;
  for (bool first = true; !value.empty(); first = false) {
    const std::size_t end = std::min(value.find_first_of("\r\n"), value.size());
    const std::string_view line = value.substr(0, end);
    value.remove_prefix(std::min(end + 1, value.size()));
    if (!first && line.find_first_not_of(" \t") == std::string_view::npos) continue;
    if (!first) out.append(line.front() == ' ' || line.front() == '\t' ? "\n" : "\n\t");
    out.append(line);
  }
  return out;
}

}  // namespace

HeaderEditor::HeaderEditor(std::string_view wire) {
  ContentFeed feed;
  feed.give(wire);
  feed.end();
  std::size_t from = 0;
  while (const auto part = feed.next()) {
    if (part->stage != Stage::kHeader) break;
    const std::size_t end = feed.body_begins();
    fields_.push_back({base::to_lower(part->field.name), std::string(wire.substr(from, end - from))});
    if (!fields_.back().wire.ends_with("\r\n")) fields_.back().wire.append("\r\n");
    from = end;
  }
}

HeaderEditor::Line HeaderEditor::make(const Edit& edit, bool leading_space) {
  mail::WireEncoder encoder;
  std::string wire = encoder.take(edit.name + (leading_space ? ":" : ": ") + folded(edit.value));
  wire.append(encoder.finish());
  return {base::to_lower(edit.name), std::move(wire)};
}

void HeaderEditor::apply(const Edit& edit, bool leading_space) {
  switch (edit.kind) {
    case Edit::Kind::kAddHeader:
      fields_.push_back(make(edit, leading_space));
      changed_ = true;
      break;
    case Edit::Kind::kInsertHeader: {
      const auto at = std::min<std::size_t>(edit.index, fields_.size());
      fields_.insert(fields_.begin() + static_cast<std::ptrdiff_t>(at), make(edit, leading_space));
      changed_ = true;
      break;
    }
    case Edit::Kind::kChangeHeader: change(edit, leading_space); break;
    default: break;
  }
}

void HeaderEditor::change(const Edit& edit, bool leading_space) {
  std::uint32_t left = std::max<std::uint32_t>(edit.index, 1);
  const std::string name = base::to_lower(edit.name);
  const auto found = std::ranges::find_if(fields_, [&](const Line& line) { return line.name == name && --left == 0; });
  if (found == fields_.end() && edit.value.empty()) return;
  changed_ = true;
  if (found == fields_.end()) {
    fields_.push_back(make(edit, leading_space));
  } else if (edit.value.empty()) {
    fields_.erase(found);
  } else {
    *found = make(edit, leading_space);
  }
}

std::string HeaderEditor::wire() const {
  std::string out;
  for (const auto& line : fields_) out.append(line.wire);
  return out;
}

}  // namespace holdfast::milter
