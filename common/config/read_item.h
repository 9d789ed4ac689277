// Items of lists and maps that are more than one value: webhooks, zones, phases, filters, pairs of key files, entries of lists. Each
// fault is told at its own place.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/config.h"
#include "common/config/faults.h"
#include "common/config/yaml_tree.h"
#include "common/policy/entry.h"

namespace holdfast::config {

class ItemReader {
 public:
  // `name` is the setting's full name, for errors; both outlive this.
  ItemReader(const std::string& name, Faults& faults) : name_(name), faults_(faults) {}

  // Nothing: no use can be made of it. What is returned may have had faults too: the configuration is not taken then.
  std::optional<Webhook> webhook(const Node& item);
  std::optional<DnsblZone> zone(const Node& item);
  std::optional<Phase> phase(const Node& item);
  std::optional<Filter> filter(const Node& item);
  KeyFiles key_files(const Entry& entry);
  // An entry, or {file: NAME}, put behind `items`.
  void list_entry(const Node& item, policy::ListKind kind, std::vector<ListItem>& items);

 private:
  void fault_at(const Place& place, std::string_view text);
  void read_headers(const Entry& entry, std::vector<std::string>& headers);
  void check_webhook(const Webhook& hook, const Place& place);
  void read_filter_timeouts(const Entry& timeouts, Filter& filter);
  void read_filter_scope(const Entry& entry, Filter& filter);
  void read_weight(const Entry& entry, int& out);
  bool read_phase_duration(const Entry& entry, base::Seconds& out);
  bool read_factor(const Node& value, double& out);

  const std::string& name_;
  Faults& faults_;
};

// The path of a file that is named in `file`: beside it, unless it is absolute.
std::string beside(const std::string& file, const std::string& path);

// " (did you mean 'servers'?)" or nothing.
std::string hint(const std::string& word, const std::vector<std::string>& known);

}  // namespace holdfast::config
