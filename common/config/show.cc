#include "common/config/show.h"

#include <algorithm>
#include <map>

#include <fmt/core.h>

#include "common/base/text.h"
#include "common/config/finish.h"
#include "common/config/mx.h"
#include "common/config/presets.h"
#include "common/config/values.h"
#include "common/config/web.h"

namespace holdfast::config {
namespace {

// What the general settings would be had none of them been given; paths follow from the base.
Config fresh_beside(const Config& config) {
  Config fresh;
  fresh.paths.base = config.paths.base;
  fill_paths(fresh.paths);
  fresh.paths.base.clear();
  return fresh;
}

// Of one of its kind; a preset brings a jitter along.
Destination fresh_beside(const Destination& destination) {
  Destination fresh;
  if (const auto* preset = find_preset(destination.retry)) fresh.jitter = preset->jitter;
  return fresh;
}
Domain fresh_beside(const Domain&) { return {}; }

// Settings of one owner as YAML; a group such as "probe" is opened before its first one.
template <class Owner>
std::string show_owner(std::span<const Setting<Owner>> rows, const Owner& owner, const Owner& fresh,
                       const std::string& indent, Style style) {
  std::string out;
  std::vector<std::string_view> open;  // the groups that we are in
  for (const auto& row : rows) {
    const std::string value = value_text(slot_of(row, owner), row.info, style == Style::kSelfContained);
    const bool is_default = value == value_text(slot_of(row, fresh), row.info);
    // A path, a name, or servers that are not set cannot be written down.
    const bool unset = value == "\"\"" || (value == "[]" && row.info.default_text == "none");
    if (is_default && (style == Style::kChanged || unset) && !row.info.required) continue;
    auto groups = base::split(row.info.name, '.');
    const std::string_view name = groups.back();
    groups.pop_back();
    const auto [left, right] = std::ranges::mismatch(open, groups);
    for (auto group = right; group != groups.end(); ++group) {
      out += fmt::format("{}{:{}}{}:\n", indent, "", 2 * (group - groups.begin()), *group);
    }
    open = std::move(groups);
    out += fmt::format("{}{:{}}{}: {}\n", indent, "", 2 * open.size(), name, value);
  }
  return out;
}

template <class Owner>
std::string show_named(std::string_view title, std::span<const Setting<Owner>> rows,
                       const std::map<std::string, Owner, std::less<>>& owners, Style style) {
  if (owners.empty()) return "";
  std::string out = fmt::format("{}:\n", title);
  for (const auto& [name, owner] : owners) {
    out += fmt::format("  {}:\n{}", yaml_scalar(name), show_owner(rows, owner, fresh_beside(owner), "    ", style));
  }
  return out;
}

template <class Owner>
void list_owner(std::span<const Setting<Owner>> rows, const Owner& owner, const Owner& fresh, const std::string& prefix,
                std::vector<Shown>& out) {
  for (const auto& row : rows) {
    std::string value = value_text(slot_of(row, owner), row.info);
    const bool is_default = value == value_text(slot_of(row, fresh), row.info);
    out.push_back({fmt::format("{}{}", prefix, row.info.name), std::move(value), is_default});
  }
}

struct Value {
  std::string text;
  Reload reload;
};

template <class Owner>
void collect(std::span<const Setting<Owner>> rows, const Owner& owner, const std::string& prefix,
             std::map<std::string, Value>& out) {
  for (const auto& row : rows) {
    out[fmt::format("{}{}", prefix, row.info.name)] = {value_text(slot_of(row, owner), row.info, true), row.info.reload};
  }
}

std::map<std::string, Value> all_values(const Config& config) {
  std::map<std::string, Value> out;
  collect(global_settings(), config, "", out);
  for (const auto& [name, d] : config.destinations) collect(destination_settings(), d, fmt::format("destinations.{}.", name), out);
  for (const auto& [name, d] : config.domains) collect(domain_settings(), d, fmt::format("domains.{}.", name), out);
  // What `base` stands for is in the other paths: two ways to write the same folders are no change.
  out.erase("paths.base");
  return out;
}

template <class Owner>
std::string reference_table(std::span<const Setting<Owner>> rows) {
  const Owner fresh{};
  std::string out;
  for (const auto& row : rows) {
    const Slot slot = slot_of(row, fresh);
    const std::string bounds = bounds_text(slot, row.info);
    std::string standard = row.info.default_text.empty() ? fmt::format("`{}`", value_text(slot, row.info))
                                                         : std::string(row.info.default_text);
    if (row.info.required) standard = "none: must be given";
    out += fmt::format("### {}\n\n{}\n\nType: {}{}{}{}. Default: {}.{}\n\n", row.info.name, row.info.doc,
                       type_text(slot, row.info), bounds.empty() ? "" : " (", bounds, bounds.empty() ? "" : ")", standard,
                       row.info.reload == Reload::kRestart ? " A change needs a restart." : "");
  }
  return out;
}

constexpr std::string_view kReferenceTitle =
    R"(# Settings

Made from the settings table by `gatewayctl config reference`; do not edit. Change common/config/settings.cc
and run `make doc`.

)";

constexpr std::string_view kReferenceHead =
    R"(The configuration is one YAML file, /etc/holdfast/gateway.yaml unless said otherwise. Beside it may lie
`conf.d/*.yaml` (the same shape; a plain setting there replaces the earlier one) and `domains.d/DOMAIN.yaml` (the
settings of that one domain). Every domain and destination may be described once only. Durations are
written `90s`, `15m`, `4h`, `4d`; sizes `512KiB`, `10MiB`, `1GiB`. An unknown name, a wrong type or a bad
value is an error with file and line; a reload that finds one leaves the running configuration as it was.

)";

constexpr std::string_view kWebHead =
    R"(## The web

`web:` holds what concerns webd, the dashboard and the REST interface.

)";

constexpr std::string_view kDestinationsHead =
    R"(## Destinations

`destinations:` holds named sets of servers; each name has these settings.

)";

constexpr std::string_view kDomainsHead =
    R"(## Domains

`domains:` holds the domains that mail is relayed for; each has these settings.

)";

constexpr std::string_view kRetryHead =
    R"(## Retry schedules

Names for `retry`:

)";

constexpr std::string_view kRetryTail =
    R"(
A list of phases is written `[{until: 2h, every: 15m}, {until: 16h, start: 15m, factor: 1.5}, {until: 4d, every: 6h}]`:
until a message has that age, it is tried `every` so often, or after waits that begin with `start` and grow by
`factor`. The age counts from the moment we took the message.
)";

}  // namespace

std::string show(const Config& loaded, Style style) {
  const Config config = as_written(loaded);
  return show_owner(global_settings(), config, fresh_beside(config), "", style) +
         show_named("destinations", destination_settings(), config.destinations, style) +
         show_named("domains", domain_settings(), config.domains, style);
}

std::string show_web(const Web& web, Style style) {
  const std::string out = show_owner(web_settings(), web, Web{}, "  ", style);
  return out.empty() ? "" : "web:\n" + out;
}

std::vector<Shown> list_web(const Web& web) {
  std::vector<Shown> out;
  list_owner(web_settings(), web, Web{}, "web.", out);
  return out;
}

std::vector<Change> web_difference(const Web& before, const Web& after) {
  std::map<std::string, Value> old_values, new_values;
  collect(web_settings(), before, "web.", old_values);
  collect(web_settings(), after, "web.", new_values);
  std::vector<Change> out;
  for (const auto& [name, value] : old_values) {
    const auto& now = new_values.at(name);
    if (now.text != value.text) out.push_back({name, value.text, now.text, value.reload});
  }
  return out;
}

std::vector<Shown> list(const Config& loaded) {
  const Config config = as_written(loaded);
  std::vector<Shown> out;
  list_owner(global_settings(), config, fresh_beside(config), "", out);
  for (const auto& [name, d] : config.destinations) {
    list_owner(destination_settings(), d, fresh_beside(d), fmt::format("destinations.{}.", name), out);
  }
  for (const auto& [name, d] : config.domains) {
    list_owner(domain_settings(), d, Domain{}, fmt::format("domains.{}.", name), out);
  }
  return out;
}

std::vector<Change> difference(const Config& before, const Config& after) {
  const auto old_values = all_values(as_written(before)), new_values = all_values(as_written(after));
  std::vector<Change> out;
  for (const auto& [name, value] : old_values) {
    const auto found = new_values.find(name);
    const std::string now = found == new_values.end() ? "" : found->second.text;
    if (now != value.text) out.push_back({name, value.text, now, value.reload});
  }
  for (const auto& [name, value] : new_values) {
    if (!old_values.contains(name)) out.push_back({name, "", value.text, value.reload});
  }
  std::ranges::sort(out, {}, &Change::name);
  return out;
}

std::string reference() { return std::string(kReferenceTitle) + reference_body(); }

std::string reference_body() {
  std::string out(kReferenceHead);
  out += "## General\n\n" + reference_table(global_settings());
  out += std::string(kWebHead) + reference_table(web_settings());
  out += std::string(kDestinationsHead) + reference_table(destination_settings());
  out += std::string(kDomainsHead) + reference_table(domain_settings());
  out += kRetryHead;
  for (const auto& preset : presets()) out += fmt::format("- `{}`: {}.\n", preset.name, preset.doc);
  return out + std::string(kRetryTail);
}

}  // namespace holdfast::config
