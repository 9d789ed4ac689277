#include "common/config/read_item.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>

#include <fmt/core.h>

#include "common/base/text.h"
#include "common/config/values.h"
#include "common/policy/answer_pattern.h"

namespace holdfast::config {
namespace {

constexpr int kMostWeight = 1000;

bool is_header(const std::string& line) {
  const auto colon = line.find(':');
  const auto name = [](char c) { return c > 32 && c < 127 && c != ':'; };
  return colon != line.npos && colon > 0 && std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(colon), name) &&
         std::ranges::none_of(line, [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; });
}

base::Seconds* duration_of(Phase& phase, const std::string& key) {
  if (key == "until") return &phase.until;
  if (key == "every") return &phase.every;
  return key == "start" ? &phase.start : nullptr;
}

}  // namespace

std::string beside(const std::string& file, const std::string& path) {
  const std::filesystem::path folder = std::filesystem::absolute(file).parent_path();
  return (folder / path).lexically_normal().string();
}

std::string hint(const std::string& word, const std::vector<std::string>& known) {
  const auto near = base::nearest(word, known);
  return near ? fmt::format(" (did you mean '{}'?)", *near) : "";
}

void ItemReader::fault_at(const Place& place, std::string_view text) { faults_.error(place, fmt::format("{}: {}", name_, text)); }

void ItemReader::list_entry(const Node& item, policy::ListKind kind, std::vector<ListItem>& items) {
  const bool names_file = item.kind == Node::Kind::kMap && item.entries.size() == 1 && item.entries[0].key == "file" &&
                          item.entries[0].value.kind == Node::Kind::kScalar && !item.entries[0].value.text.empty();
  if (names_file) {
    items.push_back({.text = {}, .file = beside(item.place.file, item.entries[0].value.text), .in_file = item.place.file, .line = item.place.line});
  } else if (item.kind != Node::Kind::kScalar) {
    fault_at(item.place, "each must be an entry or {file: NAME}");
  } else if (const auto entry = policy::parse_entry(kind, item.text); !entry) {
    fault_at(item.place, entry.error().text);
  } else {
    items.push_back({.text = item.text, .file = {}, .in_file = item.place.file, .line = item.place.line});
  }
}

std::optional<DnsblZone> ItemReader::zone(const Node& item) {
  DnsblZone zone;
  if (item.kind == Node::Kind::kScalar) zone.zone = base::to_lower(item.text);
  for (const auto& entry : item.entries) {
    const std::string& text = entry.value.text;
    if (entry.value.kind != Node::Kind::kScalar) {
      fault_at(entry.place, fmt::format("'{}' must be one value", entry.key));
    } else if (entry.key == "zone") {
      zone.zone = base::to_lower(text);
    } else if (entry.key == "weight") {
      read_weight(entry, zone.weight);
    } else if (entry.key == "answers") {
      zone.answers = text;
      if (const auto pattern = policy::AnswerPattern::parse(text); !pattern) fault_at(entry.place, pattern.error().text);
    } else {
      fault_at(entry.place, fmt::format("unknown '{}' in a zone{}", entry.key, hint(entry.key, {"zone", "weight", "answers"})));
    }
  }
  if (const auto problem = hostname_fault(zone.zone); !problem.empty()) {
    fault_at(item.place, fmt::format("each must be {{zone: NAME, weight: 1}}: the zone '{}' {}", zone.zone, problem));
    return std::nullopt;
  }
  return zone;
}

void ItemReader::read_weight(const Entry& entry, int& out) {
  const std::string& text = entry.value.text;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || stop != text.data() + text.size() || out < -kMostWeight || out > kMostWeight || out == 0) {
    fault_at(entry.place, fmt::format("'{}' is no weight: {} to {}, but 0", text, -kMostWeight, kMostWeight));
  }
}

KeyFiles ItemReader::key_files(const Entry& entry) {
  KeyFiles files;
  for (const auto& part : entry.value.entries) {
    std::string* const file = part.key == "certificate" ? &files.certificate : part.key == "key" ? &files.key : nullptr;
    if (file != nullptr && part.value.kind == Node::Kind::kScalar && !part.value.text.empty()) {
      *file = beside(part.place.file, part.value.text);
    } else {
      fault_at(part.place, fmt::format("{}: '{}' must be 'certificate' or 'key' with the name of a file", entry.key, part.key));
    }
  }
  if (files.certificate.empty() || files.key.empty()) fault_at(entry.place, fmt::format("{} needs a certificate and a key", entry.key));
  return files;
}

std::optional<Webhook> ItemReader::webhook(const Node& item) {
  if (item.kind != Node::Kind::kMap) {
    fault_at(item.place, "each must be a map: {url: \"https://example.test/hook\", format: json}");
    return std::nullopt;
  }
  Webhook hook;
  const std::map<std::string, std::string*> texts{{"url", &hook.url}, {"format", &hook.format}, {"template", &hook.body},
    {"content_type", &hook.content_type}, {"token_file", &hook.token_file}, {"ca_file", &hook.ca_file}};
  for (const auto& entry : item.entries) {
    const auto text = texts.find(entry.key);
    if (entry.key == "headers") {
      read_headers(entry, hook.headers);
    } else if (text == texts.end()) {
      fault_at(entry.place, fmt::format("unknown '{}' in a webhook{}", entry.key,
        hint(entry.key, {"url", "format", "template", "content_type", "headers", "token_file", "ca_file"})));
    } else if (entry.value.kind != Node::Kind::kScalar) {
      fault_at(entry.place, fmt::format("'{}' must be a text", entry.key));
    } else {
      *text->second = entry.key.ends_with("_file") && !entry.value.text.empty() ? beside(entry.place.file, entry.value.text) : entry.value.text;
    }
  }
  check_webhook(hook, item.place);
  return hook;
}

void ItemReader::read_headers(const Entry& entry, std::vector<std::string>& headers) {
  for (const auto& line : entry.value.items) {
    if (line.kind == Node::Kind::kScalar && is_header(line.text)) headers.push_back(line.text);
    else fault_at(line.place, "a header is written \"Name: value\"");
  }
  if (entry.value.kind != Node::Kind::kList) fault_at(entry.place, "'headers' must be a list such as [\"X-Key: 1\"]");
}

void ItemReader::check_webhook(const Webhook& hook, const Place& place) {
  static const std::vector<std::string> formats{"json", "slack", "ntfy", "alertmanager", "template"};
  if (hook.url.empty()) return fault_at(place, "a webhook needs a url");
  if (const auto problem = url_fault(hook.url); !problem.empty()) {
    // What stands before an @ may be a password: faults are printed and logged.
    fault_at(place, fmt::format("'{}' {}", hook.url.substr(hook.url.rfind('@') + 1), problem));
  }
  if (std::ranges::find(formats, hook.format) == formats.end()) {
    fault_at(place, fmt::format("format must be json, slack, ntfy, alertmanager or template, not '{}'{}", hook.format, hint(hook.format, formats)));
  }
  if ((hook.format == "template") != !hook.body.empty()) fault_at(place, "format: template and 'template' need each other");
  if (!hook.content_type.empty() && !is_header("Content-Type: " + hook.content_type)) fault_at(place, "content_type has a control character");
}

std::optional<Phase> ItemReader::phase(const Node& item) {
  static constexpr std::string_view kShape = "a phase is {until: 2h, every: 15m} or {until: 16h, start: 15m, factor: 1.5}";
  if (item.kind != Node::Kind::kMap) {
    fault_at(item.place, std::string(kShape));
    return std::nullopt;
  }
  Phase phase;
  bool has_factor = false, good = true;
  for (const auto& entry : item.entries) {
    if (entry.key == "factor") {
      has_factor = true;
      good = read_factor(entry.value, phase.factor) && good;
    } else if (base::Seconds* out = duration_of(phase, entry.key)) {
      good = read_phase_duration(entry, *out) && good;
    } else {
      fault_at(entry.place, fmt::format("unknown '{}' in a phase{}", entry.key,
                                        hint(entry.key, {"until", "every", "start", "factor"})));
      good = false;
    }
  }
  if (!good) return std::nullopt;
  const bool fixed = phase.every.count() > 0 && phase.start.count() == 0 && !has_factor;
  const bool growing = phase.every.count() == 0 && phase.start.count() > 0 && has_factor;
  if (phase.until.count() > 0 && (fixed || growing)) return phase;
  fault_at(item.place, std::string(kShape));
  return std::nullopt;
}

std::optional<Filter> ItemReader::filter(const Node& item) {
  if (item.kind != Node::Kind::kMap) {
    fault_at(item.place, "each must be a map: {name: rspamd, milter: \"inet:127.0.0.1:11332\"}");
    return std::nullopt;
  }
  Filter filter;
  const std::map<std::string, std::string*> texts{{"name", &filter.name}, {"milter", &filter.milter}, {"on_failure", &filter.on_failure}};
  for (const auto& entry : item.entries) {
    const auto text = texts.find(entry.key);
    if (entry.key == "timeouts") {
      read_filter_timeouts(entry, filter);
    } else if (entry.key == "domains" || entry.key == "listeners") {
      read_filter_scope(entry, filter);
    } else if (text == texts.end()) {
      fault_at(entry.place, fmt::format("unknown '{}' in a filter{}", entry.key,
                                        hint(entry.key, {"name", "milter", "on_failure", "timeouts", "domains", "listeners"})));
    } else if (entry.value.kind != Node::Kind::kScalar) {
      fault_at(entry.place, fmt::format("'{}' must be a text", entry.key));
    } else {
      *text->second = entry.value.text;
    }
  }
  for (const auto& problem : faults_of(filter)) fault_at(item.place, problem);
  return filter;
}

void ItemReader::read_filter_timeouts(const Entry& timeouts, Filter& filter) {
  if (timeouts.value.kind != Node::Kind::kMap) return fault_at(timeouts.place, "'timeouts' must be a map such as {command: 30s}");
  const std::map<std::string, base::Seconds*> known{{"connect", &filter.connect}, {"command", &filter.command}, {"content", &filter.content}};
  for (const auto& entry : timeouts.value.entries) {
    const auto found = known.find(entry.key);
    if (found == known.end()) {
      fault_at(entry.place, fmt::format("unknown '{}' in timeouts{}", entry.key, hint(entry.key, {"connect", "command", "content"})));
      continue;
    }
    const auto duration = parse_duration(entry.value.text);
    if (!duration) fault_at(entry.place, duration.error().text);
    else if (duration->count() < 1 || duration->count() > 3600) fault_at(entry.place, fmt::format("'{}' must be 1s to 1h", entry.key));
    else *found->second = *duration;
  }
}

void ItemReader::read_filter_scope(const Entry& entry, Filter& filter) {
  if (entry.value.kind != Node::Kind::kList) return fault_at(entry.place, fmt::format("'{}' must be a list", entry.key));
  for (const auto& item : entry.value.items) {
    if (entry.key == "domains") {
      filter.domains.push_back(base::to_lower(item.text));
      continue;
    }
    auto address = parse_listen(item.text);
    if (address) filter.listeners.push_back(address->text());
    else fault_at(item.place, address.error().text);
  }
}

bool ItemReader::read_phase_duration(const Entry& entry, base::Seconds& out) {
  const auto duration = parse_duration(entry.value.text);
  if (!duration) {
    fault_at(entry.place, duration.error().text);
  } else if (duration->count() == 0) {
    fault_at(entry.place, fmt::format("'{}' must be more than 0", entry.key));
  } else {
    out = *duration;
    return true;
  }
  return false;
}

bool ItemReader::read_factor(const Node& value, double& out) {
  const char* end = value.text.data() + value.text.size();
  const auto [stop, error] = std::from_chars(value.text.data(), end, out);
  if (error == std::errc{} && stop == end && out >= 1.0 && out <= 10.0) return true;
  fault_at(value.place, fmt::format("'{}' is not a factor: 1 to 10, such as 1.5", value.text));
  return false;
}

}  // namespace holdfast::config
