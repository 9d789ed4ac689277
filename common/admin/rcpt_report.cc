#include "common/admin/rcpt_report.h"

#include <fmt/core.h>

#include "common/base/text.h"
#include "common/admin/text_json.h"

namespace holdfast::admin {
namespace {

json as_json(const RecipientView& view) {
  return {{"address", view.address},
          {"source", view.source.empty() ? json() : json(view.source)},
          {"destination", view.destination},
          {"verified_at", time_json(view.verified_ms)},
          {"expires", time_json(view.expires_ms)},
          {"configured", view.configured}};
}

}  // namespace

Table recipient_table() { return Table({"ADDRESS", "SOURCE", "DESTINATION", "VERIFIED", "EXPIRES"}); }

void add_to(Table& table, const RecipientView& view, std::int64_t now_ms) {
  table.add({view.address, view.source, view.destination, ago_text(view.verified_ms, now_ms),
             ahead_text(view.expires_ms, now_ms)});
}

std::string recipient_json(const RecipientView& view) { return dump_line(as_json(view)); }

std::string check_text(const RecipientView& view, const std::string& standing, std::int64_t now_ms) {
  std::string out = view.address;
  if (standing == "denied") {
    out += " is denied: refused with 550 in every state";
  } else if (standing != "known") {
    out += " is unknown: while its destination is down, senders get 451 and keep its mail themselves";
  } else {
    out += fmt::format(" is known ({}): while its destination is down, its mail is kept here", view.source);
  }
  if (view.verified_ms != 0) out += fmt::format("; last accepted {}", ago_text(view.verified_ms, now_ms));
  if (view.expires_ms != 0) out += fmt::format(", forgotten {}", ahead_text(view.expires_ms, now_ms));
  return base::printable(out) + "\n";
}

std::string check_json(const RecipientView& view, const std::string& standing) {
  json out = as_json(view);
  out["standing"] = standing;
  return dump_line(out);
}

}  // namespace holdfast::admin
