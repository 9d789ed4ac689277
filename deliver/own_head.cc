#include "deliver/own_head.h"

#include <algorithm>

#include "common/mail/header_gate.h"

namespace holdfast::deliver {
namespace {

constexpr std::string_view kMark = "X-Holdfast-Unfiltered: yes\r\n", kNewMark = "X-Holdfast-Unfiltered: rescanned\r\n";

}  // namespace

std::size_t own_head(std::string_view content) {
  std::size_t at = content.starts_with(mail::kCopyField) ? std::min(content.find("\r\n"), content.size() - 2) + 2 : 0;
  if (!content.substr(at).starts_with("Received:")) return 0;
  do {
    const auto end = content.find("\r\n", at);
    if (end == content.npos) return 0;
    at = end + 2;
  } while (at < content.size() && (content[at] == ' ' || content[at] == '\t'));
  return content.substr(at).starts_with(kMark) ? at + kMark.size() : 0;
}

std::string rescanned(std::string_view head) {
  std::string out(head);
  if (head.ends_with(kMark)) out.replace(out.size() - kMark.size(), kMark.size(), kNewMark);
  return out;
}

}  // namespace holdfast::deliver
