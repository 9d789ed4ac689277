#include "import/write_yaml.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "common/base/text.h"
#include "common/config/values.h"

namespace holdfast::importer {
namespace {

constexpr std::size_t kInline = 10;  // recipients; more have a file, if there is a folder for it
constexpr std::size_t kWidth = 110;

// As comment lines, each `text` beginning with `mark`, broken between words.
std::string comment(const std::string& indent, std::string_view mark, const std::string& text) {
  std::string out, line = indent + "# " + std::string(mark);
  bool fresh = true;
  const std::string shown = base::printable(text);
  for (const auto word : base::split(shown, ' ')) {
    if (!fresh && line.size() + 1 + word.size() > kWidth) {
      out += line + "\n";
      line = indent + "#  ";
    }
    line += (fresh && mark.empty() ? "" : " ") + std::string(word);
    fresh = false;
  }
  return out + line + "\n";
}

// Settings whose names have dots, as nested YAML; those of a level must stand together.
std::string nested(const std::vector<std::pair<std::string, std::string>>& settings, const std::string& indent) {
  std::string out;
  std::vector<std::string_view> open;
  for (const auto& [name, value] : settings) {
    auto levels = base::split(name, '.');
    const auto last = levels.back();
    levels.pop_back();
    const auto [left, right] = std::ranges::mismatch(open, levels);
    for (auto level = right; level != levels.end(); ++level) {
      out += fmt::format("{}{:{}}{}:\n", indent, "", 2 * (level - levels.begin()), *level);
    }
    open = std::move(levels);
    out += fmt::format("{}{:{}}{}: {}\n", indent, "", 2 * open.size(), last, value);
  }
  return out;
}

std::string list(const std::vector<std::string>& items, const std::string& indent) {
  std::string out = "[", line;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::string item = config::yaml_scalar(items[i]) + (i + 1 < items.size() ? "," : "");
    if (indent.size() + line.size() + item.size() > kWidth) {
      out += line + "\n" + indent;
      line.clear();
    }
    line += (line.empty() ? "" : " ") + item;
  }
  return out + line + "]";
}

// "mail" of mail.example.test:25, "mail-2" if that is taken.
std::string name_for(const Target& target, const std::set<std::string>& taken) {
  std::string base = "mx";
  if (!target.mx) {
    const auto server = config::parse_server(target.servers.front());
    base = server && !config::is_ip_address(server->host) ? std::string(base::split(server->host, '.').front()) : "server";
  }
  std::string out = base;
  for (int n = 2; taken.contains(out); ++n) out = fmt::format("{}-{}", base, n);
  return out;
}

struct Named {
  std::string name;
  const Target* target;
};

std::vector<Named> name_all(const Found& found) {
  std::vector<Named> out;
  std::set<std::string> taken;
  for (const auto& [domain, settings] : found.domains) {
    if (std::ranges::any_of(out, [&](const Named& n) { return *n.target == settings.target; })) continue;
    const std::string name = name_for(settings.target, taken);
    taken.insert(name);
    out.push_back({name, &settings.target});
  }
  return out;
}

std::string destination_text(const Named& named, const Found& found) {
  const Target& target = *named.target;
  std::string out = fmt::format("  {}:\n", config::yaml_scalar(named.name));
  if (target.mx) {
    out += "    mx: true\n";
    if (target.mx_port != 25) out += fmt::format("    mx_port: {}\n", target.mx_port);
  } else {
    std::string servers;
    for (const auto& server : target.servers) servers += fmt::format("{}\"{}\"", servers.empty() ? "" : ", ", server);
    out += fmt::format("    servers: [{}]\n", servers);
  }
  if (target.lmtp) out += "    protocol: lmtp\n";
  return out + nested(found.of_servers, "    ");
}

std::string recipients_text(const std::string& name, const Domain& domain, const std::string& folder, Written& out) {
  if (domain.any_recipient) return "    local_recipients: [\"*\"]\n";
  if (domain.recipients.empty()) return "";
  if (folder.empty() || domain.recipients.size() <= kInline) {
    return fmt::format("    local_recipients: {}\n", list(domain.recipients, "      "));
  }
  const std::string file = folder + "/" + name;
  out.files[file] = fmt::format("{}\n", fmt::join(domain.recipients, "\n"));
  return fmt::format("    local_recipients: {}\n", config::yaml_scalar(file));
}

}  // namespace

Written write_yaml(const Found& found, const std::string& folder) {
  Written out;
  std::string& yaml = out.yaml;
  yaml = comment("", "", "Made by holdfast-import from " + found.source + ".");
  yaml += "# Settle what the CHECK lines say, read what was not taken over at the end, then try the file:\n"
          "#   gatewayctl --config THIS-FILE config check\n\n";
  for (const auto& check : found.checks) yaml += comment("", "CHECK:", check);
  yaml += nested(found.settings, "");
  const auto names = name_all(found);
  yaml += found.domains.empty() ? "# No domain was found whose mail is relayed: see below.\n" : "\ndestinations:\n";
  for (const auto& named : names) yaml += destination_text(named, found);
  if (!found.domains.empty()) yaml += "\ndomains:\n";
  for (const auto& [name, domain] : found.domains) {
    for (const auto& check : domain.checks) yaml += comment("  ", "CHECK:", check);
    const auto target = std::ranges::find_if(names, [&](const Named& n) { return *n.target == domain.target; });
    yaml += fmt::format("  {}:\n    destination: {}\n", config::yaml_scalar(name), config::yaml_scalar(target->name));
    yaml += recipients_text(name, domain, folder, out);
  }
  if (!found.left.empty()) yaml += "\n# Not taken over:\n";
  for (const auto& what : found.left) yaml += comment("", "-", what);
  return out;
}

}  // namespace holdfast::importer
