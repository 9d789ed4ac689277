// Settings as text: their types, bounds and values, for the reference and for errors.
#include "common/config/settings.h"

#include <fmt/core.h>

#include "common/config/values.h"

namespace holdfast::config {
namespace {

struct TypeText {
  const Info& info;

  std::string operator()(bool*) const { return "true or false"; }
  std::string operator()(int*) const { return "number"; }
  std::string operator()(std::uint64_t*) const { return info.size ? "size" : "number"; }
  std::string operator()(base::Seconds*) const { return "duration"; }
  std::string operator()(std::string*) const { return "text"; }
  std::string operator()(std::vector<std::string>*) const { return "list of texts"; }
  std::string operator()(const ChoiceSlot&) const { return "choice"; }
  std::string operator()(const PathSlot&) const { return "path"; }
  std::string operator()(const FileSlot&) const { return "file"; }
  std::string operator()(const ServersSlot&) const { return "list of servers"; }
  std::string operator()(const ListenSlot&) const { return "list of addresses"; }
  std::string operator()(const RelaySlot&) const { return "server"; }
  std::string operator()(const RelaysSlot&) const { return "list of servers"; }
  std::string operator()(const WebhooksSlot&) const { return "list of {url, format, …}"; }
  std::string operator()(const ResolversSlot&) const { return "list of addresses"; }
  std::string operator()(const NetworksSlot&) const { return "list of networks"; }
  std::string operator()(const ReserveSlot&) const { return "percentage or size"; }
  std::string operator()(const FlagsSlot&) const { return "list of choices"; }
  std::string operator()(const RetrySlot&) const { return "name or list of phases"; }
  std::string operator()(const KeyFilesSlot&) const { return "map of names to {certificate, key}"; }
  std::string operator()(const CopiesSlot&) const { return "map of addresses to addresses"; }
  std::string operator()(const FiltersSlot&) const { return "list of {name, milter, …}"; }
  std::string operator()(const TextsSlot&) const { return "list of texts or a file"; }
  std::string operator()(const RecipientsSlot&) const { return "list of addresses or a file"; }
  std::string operator()(const ListSlot&) const { return "list of entries and {file: NAME}, or a file"; }
  std::string operator()(const ZonesSlot&) const { return "list of {zone, weight, answers}"; }
};

template <class List, class Text>
std::string yaml_list(const List& list, const Text& text) {
  std::string out = "[";
  for (const auto& item : list) {
    if (out.size() > 1) out += ", ";
    out += text(item);
  }
  return out + "]";
}

std::string quoted_server(const HostPort& server) { return fmt::format("\"{}\"", server.text()); }

std::string phase_text(const Phase& phase) {
  if (phase.every.count() > 0) {
    return fmt::format("{{until: {}, every: {}}}", duration_text(phase.until), duration_text(phase.every));
  }
  return fmt::format("{{until: {}, start: {}, factor: {}}}", duration_text(phase.until), duration_text(phase.start),
                     phase.factor);
}

std::string webhook_text(const Webhook& hook) {
  std::string out = fmt::format("{{url: {}, format: {}", yaml_scalar(hook.url), hook.format);
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out += fmt::format(", {}: {}", name, yaml_scalar(value));
  };
  add("template", hook.body);
  add("content_type", hook.content_type);
  if (!hook.headers.empty()) out += fmt::format(", headers: {}", yaml_list(hook.headers, yaml_scalar));
  add("token_file", hook.token_file);
  add("ca_file", hook.ca_file);
  return out + "}";
}

std::string filter_text(const Filter& filter) {
  std::string out = fmt::format("{{name: {}, milter: {}, on_failure: {}, timeouts: {{connect: {}, command: {}, content: {}}}",
                                yaml_scalar(filter.name), yaml_scalar(filter.milter), filter.on_failure, duration_text(filter.connect),
                                duration_text(filter.command), duration_text(filter.content));
  if (!filter.domains.empty()) out += fmt::format(", domains: {}", yaml_list(filter.domains, yaml_scalar));
  if (!filter.listeners.empty()) out += fmt::format(", listeners: {}", yaml_list(filter.listeners, yaml_scalar));
  return out + "}";
}

struct ValueText {
  const Info& info;
  bool inline_files;

  std::string operator()(const bool* v) const { return *v ? "true" : "false"; }
  std::string operator()(const int* v) const { return fmt::format("{}", *v); }
  std::string operator()(const std::uint64_t* v) const {
    if (*v == 0 && !info.zero.empty()) return std::string(info.zero);
    return info.size ? size_text(*v) : fmt::format("{}", *v);
  }
  std::string operator()(const base::Seconds* v) const {
    return v->count() == 0 && !info.zero.empty() ? std::string(info.zero) : duration_text(*v);
  }
  std::string operator()(const std::string* v) const { return yaml_scalar(*v); }
  std::string operator()(const std::vector<std::string>* v) const { return yaml_list(*v, yaml_scalar); }
  std::string operator()(const ChoiceSlot& v) const {
    return v.text != nullptr ? *v.text : std::string(info.choices[*v.second ? 1 : 0]);
  }
  std::string operator()(const PathSlot& v) const { return yaml_scalar(*v.path); }
  std::string operator()(const FileSlot& v) const { return yaml_scalar(*v.file); }
  std::string operator()(const ServersSlot& v) const { return yaml_list(*v.servers, quoted_server); }
  std::string operator()(const ListenSlot& v) const { return yaml_list(*v.listen, quoted_server); }
  std::string operator()(const RelaySlot& v) const { return v.servers->empty() ? "\"\"" : quoted_server(v.servers->front()); }
  std::string operator()(const RelaysSlot& v) const { return yaml_list(*v.relays, quoted_server); }
  std::string operator()(const WebhooksSlot& v) const { return yaml_list(*v.webhooks, webhook_text); }
  std::string operator()(const FiltersSlot& v) const { return yaml_list(*v.filters, filter_text); }
  std::string operator()(const ResolversSlot& v) const { return yaml_list(*v.resolvers, quoted_server); }
  std::string operator()(const NetworksSlot& v) const {
    return yaml_list(*v.networks, [](const base::Network& n) { return fmt::format("\"{}\"", n.text()); });
  }
  std::string operator()(const ReserveSlot& v) const { return yaml_scalar(reserve_text(*v.reserve)); }
  std::string operator()(const FlagsSlot& v) const {
    std::vector<std::string_view> set;
    for (std::size_t i = 0; i < v.flags.size(); ++i) {
      if (*v.flags[i]) set.push_back(info.choices[i]);
    }
    return yaml_list(set, yaml_scalar);
  }
  std::string operator()(const RetrySlot& v) const {
    return *v.name == "custom" ? yaml_list(*v.schedule, phase_text) : *v.name;
  }
  std::string operator()(const KeyFilesSlot& v) const {
    std::string out = "{";
    for (const auto& [name, files] : *v.names) {
      if (out.size() > 1) out += ", ";
      out += fmt::format("{}: {{certificate: {}, key: {}}}", name, yaml_scalar(files.certificate), yaml_scalar(files.key));
    }
    return out + "}";
  }
  std::string operator()(const CopiesSlot& v) const {
    std::string out = "{";
    for (const auto& [of, to] : *v.copies) out += fmt::format("{}{}: {}", out.size() > 1 ? ", " : "", yaml_scalar(of), yaml_scalar(to));
    return out + "}";
  }
  std::string operator()(const TextsSlot& v) const {
    if (!v.file->empty() && !inline_files) return yaml_scalar(*v.file);
    return yaml_list(*v.texts, yaml_scalar);
  }
  std::string operator()(const RecipientsSlot& v) const {
    if (!v.file->empty() && !inline_files) return yaml_scalar(*v.file);
    return yaml_list(*v.addresses, yaml_scalar);
  }
  std::string operator()(const ListSlot& v) const {
    return yaml_list(*v.items, [](const ListItem& item) {
      return item.file.empty() ? yaml_scalar(item.text) : fmt::format("{{file: {}}}", yaml_scalar(item.file));
    });
  }
  std::string operator()(const ZonesSlot& v) const {
    return yaml_list(*v.zones, [](const DnsblZone& zone) {
      const std::string answers = zone.answers.empty() ? "" : fmt::format(", answers: {}", yaml_scalar(zone.answers));
      return fmt::format("{{zone: {}, weight: {}{}}}", yaml_scalar(zone.zone), zone.weight, answers);
    });
  }
};

std::string range_text(const Range& range, std::string (*text)(std::uint64_t)) {
  if (range.most == Range{}.most) return range.least == 0 ? "" : fmt::format("at least {}", text(range.least));
  return fmt::format("{} to {}", text(range.least), text(range.most));
}

std::string plain_text(std::uint64_t v) { return fmt::format("{}", v); }
std::string seconds_text(std::uint64_t v) { return duration_text(base::Seconds{static_cast<std::int64_t>(v)}); }

std::string choices_text(const std::vector<std::string_view>& choices, std::string_view last) {
  std::string out;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (i > 0) out += i + 1 == choices.size() ? last : ", ";
    out += choices[i];
  }
  return out;
}

}  // namespace

std::string type_text(const Slot& slot, const Info& info) { return std::visit(TypeText{info}, slot); }

std::string value_text(const Slot& slot, const Info& info, bool inline_files) {
  return std::visit(ValueText{info, inline_files}, slot);
}

std::string bounds_text(const Slot& slot, const Info& info) {
  if (std::holds_alternative<FlagsSlot>(slot)) return "of " + choices_text(info.choices, ", ");
  if (!info.choices.empty()) return choices_text(info.choices, " or ");
  const bool duration = std::holds_alternative<base::Seconds*>(slot);
  const std::string range = range_text(info.range, duration ? seconds_text : info.size ? size_text : plain_text);
  if (info.zero.empty()) return range;
  return range.empty() ? fmt::format("or {}", info.zero) : fmt::format("{}, or {}", range, info.zero);
}

}  // namespace holdfast::config
