// How recipients are shown. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "common/admin/table.h"

namespace holdfast::admin {

struct RecipientView {
  std::string address;
  std::string source;            // "learnt", "local", "denied"; empty: unknown
  std::string destination;
  std::int64_t verified_ms = 0;
  std::int64_t expires_ms = 0;   // 0: never
  bool configured = false;       // in the configuration: `rcpt remove` cannot take it away
};

Table recipient_table();
void add_to(Table& table, const RecipientView& view, std::int64_t now_ms);
std::string recipient_json(const RecipientView& view);

// `rcpt check`: what would happen to mail for this address while its destination is down.
std::string check_text(const RecipientView& view, const std::string& standing, std::int64_t now_ms);
std::string check_json(const RecipientView& view, const std::string& standing);

}  // namespace holdfast::admin
