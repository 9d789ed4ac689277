#include "common/config/load.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>

#include <fmt/core.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "common/config/alerts.h"
#include "common/config/compile_lists.h"
#include "common/config/copies.h"
#include "common/config/finish.h"
#include "common/config/finish_filters.h"
#include "common/config/mx.h"
#include "common/config/presets.h"
#include "common/config/read_item.h"
#include "common/config/read_value.h"
#include "common/config/security.h"
#include "common/config/settings.h"
#include "common/config/values.h"
#include "common/config/web.h"
#include "common/config/yaml_tree.h"

namespace holdfast::config {
namespace {

namespace fs = std::filesystem;

// The name of a destination stands in logs, in keys of the index and on command lines.
std::string destination_name_fault(std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  };
  if (name == kBounces) return "is our own for the road of bounces";
  if (name.empty() || name.size() > 64) return "must have 1 to 64 characters";
  if (!std::ranges::all_of(name, good)) return "may hold letters, digits, '-', '_' and '.' only";
  return name.starts_with('-') ? "must not begin with '-'" : "";
}

// Full names of settings that are called `key` at another level.
template <class Owner>
void namesakes(std::span<const Setting<Owner>> rows, std::string_view key, std::string_view prefix,
               std::vector<std::string>& out) {
  for (const auto& row : rows) {
    const auto dot = row.info.name.rfind('.');
    const auto last = dot == row.info.name.npos ? row.info.name : row.info.name.substr(dot + 1);
    if (last == key) out.push_back(fmt::format("{}{}", prefix, row.info.name));
  }
}

class Loader {
 public:
  void take_file(const std::string& file, const std::string& text) {
    const Node root = parse_yaml(text, file, draft_.faults);
    if (root.kind != Node::Kind::kMap) return draft_.faults.error(root.place, "must be settings, 'name: value'");
    fill(draft_.config, global_settings(), root, "", "", [this](const Entry& entry) { return take_group(entry); });
  }

  void take_domain_file(const std::string& file, const std::string& name, const std::string& text) {
    const Node root = parse_yaml(text, file, draft_.faults);
    take_domain({name, {file, root.place.line}, root});
  }

  Draft& draft() { return draft_; }

 private:
  // Destinations and domains: maps whose keys are names and not settings.
  bool take_group(const Entry& entry) {
    if (entry.key == "web") return take_settings(draft_.web, web_settings(), entry, "web"), true;
    if (entry.key != "destinations" && entry.key != "domains") return false;
    if (entry.value.kind == Node::Kind::kNull) return true;
    if (entry.value.kind != Node::Kind::kMap) {
      draft_.faults.error(entry.value.place, fmt::format("{}: must be names with their settings", entry.key));
      return true;
    }
    for (const auto& item : entry.value.entries) {
      entry.key == "domains" ? take_domain(item) : take_destination(item);
    }
    return true;
  }

  void take_destination(const Entry& entry) {
    if (const auto fault = destination_name_fault(entry.key); !fault.empty()) {
      return draft_.faults.error(entry.place, fmt::format("destination '{}': the name {}", entry.key, fault));
    }
    const std::string full = "destinations." + entry.key;
    if (!first_time(full, entry, "destination")) return;
    Destination destination;
    destination.name = entry.key;
    take_settings(destination, destination_settings(), entry, full);
    draft_.config.destinations.emplace(entry.key, std::move(destination));
  }

  void take_domain(const Entry& entry) {
    if (const auto fault = hostname_fault(entry.key); !fault.empty()) {
      return draft_.faults.error(entry.place, fmt::format("domain '{}': the name {}", entry.key, fault));
    }
    Domain domain;
    domain.name = base::to_lower(entry.key);
    const std::string full = "domains." + domain.name;
    if (!first_time(full, entry, "domain")) return;
    take_settings(domain, domain_settings(), entry, full);
    draft_.config.domains.emplace(domain.name, std::move(domain));
  }

  bool first_time(const std::string& full, const Entry& entry, std::string_view what) {
    const auto [before, fresh] = draft_.places.emplace(full, entry.place);
    if (fresh) return true;
    draft_.faults.error(entry.place, fmt::format("duplicate {} '{}': it is described in {} already", what, entry.key,
                                                 before->second.text()));
    return false;
  }

  template <class Owner>
  void take_settings(Owner& owner, std::span<const Setting<Owner>> rows, const Entry& entry, const std::string& full) {
    if (entry.value.kind == Node::Kind::kMap) {
      fill(owner, rows, entry.value, "", full + ".", [](const Entry&) { return false; });
    } else if (entry.value.kind != Node::Kind::kNull) {
      return draft_.faults.error(entry.value.place, fmt::format("{}: must be settings, 'name: value'", full));
    }
    for (const auto& row : rows) {
      if (row.info.required && !draft_.places.contains(fmt::format("{}.{}", full, row.info.name))) {
        draft_.faults.error(entry.place, fmt::format("{} lacks '{}'", full, row.info.name));
      }
    }
  }

  // All entries of one map: `prefix` is the level within the owner ("probe."), `full` the owner's name.
  template <class Owner, class Other>
  void fill(Owner& owner, std::span<const Setting<Owner>> rows, const Node& map, const std::string& prefix,
            const std::string& full, const Other& other) {
    for (const auto& entry : map.entries) {
      const std::string name = prefix + entry.key;
      const auto row = std::ranges::find(rows, name, [](const auto& r) { return r.info.name; });
      const bool group = std::ranges::any_of(rows, [&](const auto& r) { return r.info.name.starts_with(name + "."); });
      if (row != rows.end()) {
        draft_.places[full + name] = entry.place;
        read_value(row->slot(owner), row->info, full + name, entry.value, draft_.item_places[full + name], draft_.faults);
      } else if (group) {
        fill_group(owner, rows, entry, name, full);
      } else if (!prefix.empty() || !other(entry)) {
        unknown(rows, entry, prefix, full);
      }
    }
  }

  template <class Owner>
  void fill_group(Owner& owner, std::span<const Setting<Owner>> rows, const Entry& entry, const std::string& name,
                  const std::string& full) {
    if (entry.value.kind == Node::Kind::kNull) return;
    if (entry.value.kind != Node::Kind::kMap) {
      draft_.faults.error(entry.value.place, fmt::format("{}{}: must be a group of settings, 'name: value'", full, name));
      return;
    }
    fill(owner, rows, entry.value, name + ".", full, [](const Entry&) { return false; });
  }

  template <class Owner>
  void unknown(std::span<const Setting<Owner>> rows, const Entry& entry, const std::string& prefix,
               const std::string& full) {
    std::vector<std::string> known;
    for (const auto& row : rows) {
      if (!row.info.name.starts_with(prefix)) continue;
      const auto rest = row.info.name.substr(prefix.size());
      known.emplace_back(rest.substr(0, rest.find('.')));
    }
    if (full.empty() && prefix.empty()) known.insert(known.end(), {"destinations", "domains", "web"});
    std::string help = hint(entry.key, known);
    std::vector<std::string> elsewhere;
    namesakes(global_settings(), entry.key, "", elsewhere);
    namesakes(web_settings(), entry.key, "web.", elsewhere);
    namesakes(destination_settings(), entry.key, "destinations.NAME.", elsewhere);
    namesakes(domain_settings(), entry.key, "domains.NAME.", elsewhere);
    if (help.empty() && !elsewhere.empty()) help = fmt::format(" (did you mean '{}'?)", elsewhere.front());
    draft_.faults.error(entry.place, fmt::format("unknown setting '{}{}{}'{}", full, prefix, entry.key, help));
  }

  Draft draft_;
};

// The YAML files of a folder in the order of their names; none if there is no such folder.
std::vector<fs::path> yaml_files(const fs::path& folder, Faults& faults) {
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const fs::path& path = it->path();
    if (path.filename().string().starts_with('.')) continue;
    if (path.extension() == ".yaml") {
      files.push_back(path);
    } else {
      faults.warning({path.string(), 0}, "not read: its name does not end in .yaml");
    }
  }
  if (error && error != std::errc::no_such_file_or_directory) faults.error({folder.string(), 0}, error.message());
  std::ranges::sort(files);
  return files;
}

void take_folders(Loader& loader, const fs::path& folder) {
  Faults& faults = loader.draft().faults;
  const auto each = [&](const char* name, const auto& take) {
    for (const auto& path : yaml_files(folder / name, faults)) {
      const auto text = base::read_file(path.string());
      text ? take(path, *text) : faults.error({path.string(), 0}, text.error().text);
    }
  };
  each("conf.d", [&](const fs::path& path, const std::string& text) { loader.take_file(path.string(), text); });
  each("domains.d", [&](const fs::path& path, const std::string& text) {
    loader.take_domain_file(path.string(), path.stem().string(), text);
  });
}

// What an admin has allowed from the quarantine is read besides the lists that he has written.
void add_allowed_senders(Config& config) {
  const std::string file = allowed_senders_file(config.paths);
  std::error_code unknown;
  if (!fs::exists(file, unknown)) return;
  config.lists.sender.allow.push_back({.text = {}, .file = file, .in_file = config.file, .line = 0});
}

enum class Besides { kNothing, kAllowedSenders };

base::Result<Config> finished(Loader& loader, const std::string& file, Files files = Files::kSkip, Besides besides = Besides::kNothing) {
  Draft& draft = loader.draft();
  draft.config.file = file;
  finish(draft);
  if (besides == Besides::kAllowedSenders) add_allowed_senders(draft.config);
  finish_security(draft);
  finish_alerts(draft);
  finish_filters(draft);
  finish_copies(draft);
  finish_admission(draft);
  finish_web(draft);
  if (files == Files::kCheck) {
    check_security_files(draft);
    check_list_files(draft);
    check_alert_files(draft);
    check_web_files(draft);
  }
  if (draft.faults.any()) return base::fail(base::Kind::kConfig, draft.faults.text());
  expand_mx(draft.config);
  draft.config.warnings = draft.faults.take_warnings();
  return std::move(draft.config);
}

}  // namespace

base::Result<Config> load(const std::string& file, Files files) {
  const auto text = base::read_file(file);
  if (!text) {
    const bool forbidden = text.error().kind == base::Kind::kPermission;
    return base::fail(forbidden ? base::Kind::kPermission : base::Kind::kConfig, text.error().text);
  }
  Loader loader;
  loader.take_file(file, *text);
  take_folders(loader, fs::path(file).parent_path());
  return finished(loader, file, files, Besides::kAllowedSenders);
}

base::Result<Web> load_web(const std::string& file) {
  const auto text = base::read_file(file);
  if (!text) return base::fail(base::Kind::kConfig, text.error().text);
  Loader loader;
  loader.take_file(file, *text);
  take_folders(loader, fs::path(file).parent_path());
  if (auto done = finished(loader, file); !done) return std::unexpected(done.error());
  return loader.draft().web;
}

base::Result<Web> load_web_alone(const std::string& file) {
  const auto text = base::read_file(file, 1U << 30);
  if (!text) return base::fail(base::Kind::kConfig, text.error().text);
  Loader loader;
  loader.take_file(file, *text);
  if (auto done = finished(loader, file); !done) return std::unexpected(done.error());
  return loader.draft().web;
}

base::Result<Config> load_alone(const std::string& file) {
  const auto text = base::read_file(file, 1U << 30);
  if (!text) return base::fail(base::Kind::kConfig, text.error().text);
  return load_text(*text, file);
}

base::Result<Paths> load_paths(const std::string& file) {
  const auto text = base::read_file(file);
  if (!text) return base::fail(base::Kind::kConfig, text.error().text);
  Loader loader;
  loader.take_file(file, *text);
  take_folders(loader, fs::path(file).parent_path());
  fill_paths(loader.draft().config.paths);
  return loader.draft().config.paths;
}

base::Result<Config> load_text(const std::string& text, const std::string& file) {
  Loader loader;
  loader.take_file(file, text);
  return finished(loader, file);
}

}  // namespace holdfast::config
