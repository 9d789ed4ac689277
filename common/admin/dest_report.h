// How destinations and domains are shown. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/config/config.h"
#include "common/storage/directory.h"
#include "common/admin/table.h"

namespace holdfast::admin {

struct DestinationView {
  const config::Destination* config = nullptr;
  std::optional<storage::DestinationRow> row;   // nothing: never looked at
  std::string mode;
  std::optional<std::uint64_t> queued;
  std::vector<std::string> domains;
  std::optional<bool> catch_all;                // any of its domains
};

Table destination_table();
void add_to(Table& table, const DestinationView& view, std::int64_t now_ms);
std::string destination_text(const DestinationView& view, std::int64_t now_ms);
std::string destination_json(const DestinationView& view);

struct DomainView {
  const config::Domain* config = nullptr;
  std::optional<storage::DomainRow> row;
  std::optional<std::uint64_t> learnt;
  std::int64_t now_ms = 0;
};

// Whether the domain's destination accepts anything; nothing while that is not known.
std::optional<bool> catch_all(const DomainView& view);

Table domain_table();
void add_to(Table& table, const DomainView& view);
std::string domain_text(const DomainView& view);
std::string domain_json(const DomainView& view);
// "if office went down now, 40 % of the last week's mail for example.org would be kept (…)".
std::string coverage_text(const DomainView& view);

}  // namespace holdfast::admin
