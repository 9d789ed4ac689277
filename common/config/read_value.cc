#include "common/config/read_value.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/base/text.h"
#include "common/config/lines.h"
#include "common/config/presets.h"
#include "common/config/read_item.h"
#include "common/config/values.h"

namespace holdfast::config {
namespace {

constexpr std::size_t kMostZones = 50;     // each is a question a client
constexpr std::size_t kMostServers = 200;  // as many sockets as one message between processes carries

std::string kind_text(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull: return "nothing";
    case Node::Kind::kScalar: return fmt::format("'{}'", node.text);
    case Node::Kind::kList: return "a list";
    case Node::Kind::kMap: return "a group of settings";
  }
  return "";
}

class Reader {
 public:
  Reader(const Info& info, const std::string& name, const Node& node, std::vector<Place>& places, Faults& faults)
      : info_(info), name_(name), node_(node), places_(places), faults_(faults), items_(name, faults) {}

  void operator()(bool* out) {
    static const std::vector<std::string> yes{"true", "yes", "on"}, no{"false", "no", "off"};
    if (!want_scalar("true or false")) return;
    if (std::ranges::find(yes, node_.text) != yes.end()) {
      *out = true;
    } else if (std::ranges::find(no, node_.text) != no.end()) {
      *out = false;
    } else {
      wrong("true or false");
    }
  }

  void operator()(int* out) {
    if (const auto number = read_number("a number")) *out = static_cast<int>(*number);
  }

  void operator()(std::uint64_t* out) {
    if (is_zero()) return void(*out = 0);
    if (!info_.size) {
      if (const auto number = read_number("a number")) *out = *number;
      return;
    }
    if (!want_scalar("a size such as 10MiB")) return;
    const auto size = parse_size(node_.text);
    if (!size) return fault(size.error().text);
    if (within(*size)) *out = *size;
  }

  void operator()(base::Seconds* out) {
    if (is_zero()) return void(*out = base::Seconds{0});
    if (!want_scalar("a duration such as 15m")) return;
    const auto duration = parse_duration(node_.text);
    if (!duration) return fault(duration.error().text);
    if (within(static_cast<std::uint64_t>(duration->count()))) *out = *duration;
  }

  void operator()(std::string* out) {
    if (want_scalar("a text") && checked(node_.text)) *out = node_.text;
  }

  void operator()(std::vector<std::string>* out) {
    std::vector<std::string> list;
    if (!each_scalar("a list of texts", [&](const Node& item) {
          if (checked(item.text)) list.push_back(item.text);
        })) {
      return;
    }
    *out = std::move(list);
  }

  void operator()(const ChoiceSlot& out) {
    if (!want_scalar("a choice")) return;
    const auto found = std::ranges::find(info_.choices, node_.text);
    if (found == info_.choices.end()) {
      const std::vector<std::string> known(info_.choices.begin(), info_.choices.end());
      return fault(fmt::format("must be {}, not '{}'{}", bounds_text(out, info_), node_.text, hint(node_.text, known)));
    }
    if (out.text != nullptr) *out.text = node_.text;
    if (out.second != nullptr) *out.second = found != info_.choices.begin();
  }

  void operator()(const PathSlot& out) {
    if (!want_scalar("a path")) return;
    if (node_.text.empty()) return fault("must not be empty");
    *out.path = beside(node_.place.file, node_.text);
  }

  void operator()(const FileSlot& out) {
    if (want_scalar("a file")) *out.file = node_.text.empty() ? "" : beside(node_.place.file, node_.text);
  }

  void operator()(const ServersSlot& out) { read_servers(*out.servers, "a list such as [\"10.0.0.5:25\"]", parse_server); }
  void operator()(const ListenSlot& out) { read_servers(*out.listen, "a list such as [\"0.0.0.0:25\"]", parse_listen); }

  void operator()(const RelaySlot& out) {
    if (!want_scalar("a server such as relay.example.test:25")) return;
    if (node_.text.empty()) return out.servers->clear();
    auto server = parse_server(node_.text);
    if (!server) return fault(server.error().text);
    *out.servers = {std::move(*server)};
  }

  void operator()(const RelaysSlot& out) {
    if (node_.kind == Node::Kind::kList && node_.items.empty()) return out.relays->clear();
    read_servers(*out.relays, "a list such as [\"smtp.example.test:587\"]", parse_submission);
  }

  void operator()(const WebhooksSlot& out) {
    if (node_.kind != Node::Kind::kList) return wrong("a list such as [{url: \"https://example.test/hook\", format: json}]");
    read_items(*out.webhooks, [&](const Node& item) { return items_.webhook(item); });
  }

  void operator()(const FiltersSlot& out) {
    if (node_.kind != Node::Kind::kList) return wrong("a list such as [{name: rspamd, milter: \"inet:127.0.0.1:11332\"}]");
    read_items(*out.filters, [&](const Node& item) { return items_.filter(item); });
  }

  void operator()(const ResolversSlot& out) {
    if (node_.kind == Node::Kind::kList && node_.items.empty()) return out.resolvers->clear();
    read_servers(*out.resolvers, "a list such as [\"127.0.0.1:53\"]", parse_resolver);
  }

  void operator()(const NetworksSlot& out) {
    std::vector<base::Network> list;
    const bool is_list = each_scalar("a list such as [\"10.0.0.0/8\", \"2001:db8::/32\"]", [&](const Node& item) {
      const auto network = base::Network::parse(item.text);
      if (!network) return fault_at(item.place, fmt::format("'{}' is not a network such as 10.0.0.0/8 or 2001:db8::1", item.text));
      list.push_back(*network);
    });
    if (is_list) *out.networks = std::move(list);
  }

  void operator()(const ReserveSlot& out) {
    if (!want_scalar("a percentage or a size")) return;
    const auto reserve = parse_reserve(node_.text);
    if (!reserve) return fault(reserve.error().text);
    *out.reserve = *reserve;
  }

  void operator()(const FlagsSlot& out) {
    std::vector<bool> set(out.flags.size());
    const std::vector<std::string> known(info_.choices.begin(), info_.choices.end());
    bool good = true;
    const bool is_list = each_scalar(fmt::format("a list {}", bounds_text(out, info_)), [&](const Node& item) {
      const auto found = std::ranges::find(known, item.text);
      good = good && found != known.end();
      if (found == known.end()) {
        fault_at(item.place, fmt::format("knows no '{}'{}", item.text, hint(item.text, known)));
      } else {
        set[static_cast<std::size_t>(found - known.begin())] = true;
      }
    });
    if (!is_list || !good) return;
    for (std::size_t i = 0; i < set.size(); ++i) *out.flags[i] = set[i];
  }

  void operator()(const RetrySlot& out) {
    if (node_.kind == Node::Kind::kList) return read_phases(out);
    if (!want_scalar("the name of a schedule or a list of phases")) return;
    const Preset* preset = find_preset(node_.text);
    if (preset == nullptr) {
      std::vector<std::string> known;
      for (const auto& p : presets()) known.emplace_back(p.name);
      return fault(fmt::format("knows no schedule '{}'{}", node_.text, hint(node_.text, known)));
    }
    *out.name = preset->name;
    *out.schedule = preset->phases;
  }

  void operator()(const KeyFilesSlot& out) {
    if (node_.kind == Node::Kind::kNull) return out.names->clear();
    if (node_.kind != Node::Kind::kMap) return wrong("names with their files: {mx.example.test: {certificate: FILE, key: FILE}}");
    std::map<std::string, KeyFiles> names;
    places_.clear();
    for (const auto& entry : node_.entries) {
      if (const auto problem = hostname_fault(entry.key); !problem.empty()) {
        fault_at(entry.place, fmt::format("the name '{}' {}", entry.key, problem));
      }
      names[base::to_lower(entry.key)] = items_.key_files(entry);
      places_.push_back(entry.place);
    }
    *out.names = std::move(names);
  }

  void operator()(const CopiesSlot& out) {
    if (node_.kind == Node::Kind::kNull) return out.copies->clear();
    if (node_.kind != Node::Kind::kMap) return wrong("addresses with their own: {boss@example.test: boss@elsewhere.test}");
    std::map<std::string, std::string, std::less<>> copies;
    for (const auto& entry : node_.entries) {
      if (entry.value.kind != Node::Kind::kScalar) {
        fault_at(entry.place, fmt::format("'{}' must be one address", entry.key));
      } else if (!copies.emplace(base::to_lower(entry.key), entry.value.text).second) {
        fault_at(entry.place, fmt::format("'{}' is there twice", entry.key));
      }
    }
    *out.copies = std::move(copies);
  }

  void operator()(const TextsSlot& out) {
    if (node_.kind == Node::Kind::kScalar && !node_.text.empty()) {
      return read_file(*out.file, *out.texts, [&](const Line& line) { return checked_at(line.place, line.text); });
    }
    std::vector<std::string> list;
    if (!each_scalar("a list of texts or the name of a file", [&](const Node& item) {
          if (checked_at(item.place, item.text)) list.push_back(item.text);
        })) {
      return;
    }
    *out.texts = std::move(list);
    out.file->clear();
  }

  void operator()(const RecipientsSlot& out) {
    places_.clear();
    if (node_.kind == Node::Kind::kScalar && !node_.text.empty()) {
      return read_file(*out.file, *out.addresses, [&](const Line& line) {
        places_.push_back(line.place);
        return true;
      });
    }
    std::vector<std::string> list;
    if (!each_scalar("a list of addresses or the name of a file", [&](const Node& item) {
          list.push_back(item.text);
          places_.push_back(item.place);
        })) {
      return;
    }
    *out.addresses = std::move(list);
    out.file->clear();
  }

  void operator()(const ListSlot& out) {
    std::vector<ListItem> items;
    if (node_.kind == Node::Kind::kScalar && !node_.text.empty()) {
      items.push_back({.text = {}, .file = beside(node_.place.file, node_.text), .in_file = node_.place.file, .line = node_.place.line});
    } else if (node_.kind != Node::Kind::kList) {
      return wrong("a list of entries, or the name of a file of them");
    }
    for (const auto& item : node_.items) items_.list_entry(item, out.kind, items);
    *out.items = std::move(items);
  }

  void operator()(const ZonesSlot& out) {
    if (node_.kind != Node::Kind::kList) return wrong("a list such as [{zone: zen.example.test, weight: 2}]");
    std::vector<DnsblZone> zones;
    for (const auto& item : node_.items) {
      if (auto zone = items_.zone(item)) zones.push_back(std::move(*zone));
    }
    if (zones.size() > kMostZones) fault(fmt::format("must not have more than {} items", kMostZones));
    *out.zones = std::move(zones);
  }

 private:
  void fault(const std::string& text) { faults_.error(node_.place, fmt::format("{}: {}", name_, text)); }
  void fault_at(const Place& place, const std::string& text) { faults_.error(place, fmt::format("{}: {}", name_, text)); }
  void wrong(std::string_view wanted) { fault(fmt::format("must be {}, not {}", wanted, kind_text(node_))); }

  bool is_zero() const {
    return !info_.zero.empty() && node_.kind == Node::Kind::kScalar && (node_.text == info_.zero || node_.text == "0");
  }

  bool want_scalar(std::string_view wanted) {
    if (node_.kind == Node::Kind::kScalar) return true;
    wrong(wanted);
    return false;
  }

  bool checked(const std::string& text) { return checked_at(node_.place, text); }

  bool checked_at(const Place& place, const std::string& text) {
    const std::string problem = info_.check == nullptr ? "" : info_.check(text);
    if (!problem.empty()) fault_at(place, fmt::format("'{}' {}", text, problem));
    return problem.empty();
  }

  bool within(std::uint64_t value) {
    if (value >= info_.range.least && value <= info_.range.most) return true;
    fault(fmt::format("'{}' is out of bounds: {}", node_.text, bounds_text(slot_, info_)));
    return false;
  }

  std::optional<std::uint64_t> read_number(std::string_view wanted) {
    if (!want_scalar(wanted)) return std::nullopt;
    const auto number = base::to_number(node_.text);
    if (!number) {
      wrong(wanted);
      return std::nullopt;
    }
    return within(*number) ? number : std::nullopt;
  }

  template <class Take>
  bool each_scalar(std::string_view wanted, Take take) {
    if (node_.kind != Node::Kind::kList) {
      wrong(wanted);
      return false;
    }
    for (const auto& item : node_.items) {
      if (item.kind == Node::Kind::kScalar) {
        take(item);
      } else {
        fault_at(item.place, fmt::format("must be {}, but an item is {}", wanted, kind_text(item)));
      }
    }
    return true;
  }

  template <class Item, class Read>
  void read_items(std::vector<Item>& out, Read read) {
    std::vector<Item> list;
    places_.clear();
    for (const auto& item : node_.items) {
      if (auto one = read(item)) list.push_back(std::move(*one));
      places_.push_back(item.place);
    }
    out = std::move(list);
  }

  template <class Parse>
  void read_servers(std::vector<HostPort>& out, std::string_view wanted, Parse parse) {
    std::vector<HostPort> list;
    const bool is_list = each_scalar(wanted, [&](const Node& item) {
      auto server = parse(item.text);
      if (!server) return fault_at(item.place, server.error().text);
      if (std::ranges::find(list, *server) != list.end()) {
        return fault_at(item.place, fmt::format("{} is there twice", server->text()));
      }
      list.push_back(std::move(*server));
    });
    if (is_list && node_.items.empty()) fault("must not be empty");
    if (list.size() > kMostServers) fault(fmt::format("must not have more than {} items", kMostServers));
    if (!list.empty()) out = std::move(list);
  }

  // Of the file that is named here; each line it has is given to `take`.
  template <class Take>
  void read_file(std::string& file, std::vector<std::string>& out, Take take) {
    const std::string path = beside(node_.place.file, node_.text);
    auto lines = read_lines(path);
    if (!lines) return fault(lines.error().text);
    file = path;
    out.clear();
    for (auto& line : *lines) {
      if (take(line)) out.push_back(std::move(line.text));
    }
  }

  void read_phases(const RetrySlot& out) {
    std::vector<Phase> phases;
    for (const auto& item : node_.items) {
      const auto phase = items_.phase(item);
      if (!phase) return;
      if (!phases.empty() && phase->until <= phases.back().until) {
        return fault_at(item.place, "each phase must end after the one before it");
      }
      phases.push_back(*phase);
    }
    if (phases.empty()) return fault("must not be empty");
    *out.name = "custom";
    *out.schedule = std::move(phases);
  }

 public:
  void read(const Slot& slot) {
    slot_ = slot;
    std::visit(*this, slot);
  }

 private:
  const Info& info_;
  const std::string& name_;
  const Node& node_;
  std::vector<Place>& places_;
  Faults& faults_;
  ItemReader items_;
  Slot slot_{};
};

}  // namespace

void read_value(const Slot& slot, const Info& info, const std::string& name, const Node& node,
                std::vector<Place>& places, Faults& faults) {
  Reader(info, name, node, places, faults).read(slot);
}

}  // namespace holdfast::config
