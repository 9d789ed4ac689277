#include "import/postfix.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "common/base/text.h"
#include "common/config/values.h"
#include "import/main_cf.h"
#include "import/postfix_map.h"
#include "import/postfix_route.h"
#include "import/servers.h"

namespace holdfast::importer {
namespace {

using base::Kind;

// Looked at below, or of no meaning for a gateway.
const std::set<std::string, std::less<>> kUnderstood{
    "alias_database", "alias_maps", "append_dot_mydomain", "biff", "compatibility_level", "config_directory",
    "daemon_directory", "data_directory", "debug_peer_level", "debugger_command", "command_directory", "default_database_type",
    "html_directory", "inet_interfaces", "inet_protocols", "mail_owner", "mailbox_size_limit", "mailq_path", "manpage_directory",
    "message_size_limit", "mydestination", "mydomain", "myhostname", "mynetworks", "mynetworks_style", "myorigin",
    "newaliases_path", "parent_domain_matches_subdomains", "queue_directory", "readme_directory", "recipient_delimiter",
    "relay_domains", "relay_recipient_maps", "relay_transport", "relayhost", "sample_directory", "sendmail_path",
    "setgid_group", "shlib_directory", "smtp_tls_CApath", "smtp_tls_security_level", "smtp_tls_session_cache_database",
    "smtpd_banner", "smtpd_tls_cert_file", "smtpd_tls_chain_files", "smtpd_tls_key_file", "smtpd_tls_security_level",
    "smtpd_tls_session_cache_database", "smtpd_use_tls", "transport_maps", "unknown_local_recipient_reject_code"};

class Reader {
 public:
  Reader(const MainCf& cf, const ReadFile& read, Found& found) : cf_(cf), read_(read), found_(found) {}

  void run() {
    take_settings();
    const auto domains = relayed_domains();
    Routes routes(value("relay_transport"), value("relayhost"));
    for (const auto& table : postfix_list(value("transport_maps"))) {
      const auto map = read_postfix_map(table, read_);
      if (map) {
        routes.add(*map);
      } else {
        found_.leave(fmt::format("transport_maps: {}: {}", table, map.error().text));
        routes_unsure_ += (routes_unsure_.empty() ? "" : ", ") + table;
      }
    }
    for (const auto& name : domains) take_domain(name, routes);
    for (const auto& what : routes.not_of(domains)) found_.leave("transport_maps: " + what);
    take_recipients();
    tell_rest();
  }

 private:
  // "" where it cannot be known, which is told once.
  std::string value(const std::string& name) {
    auto out = cf_.value(name);
    if (out) return *out;
    if (told_.insert(name).second) found_.leave(fmt::format("{}: {}", name, out.error().text));
    return "";
  }

  void take_settings() {
    const std::string hostname = value("myhostname");
    if (!hostname.empty() && config::hostname_fault(hostname).empty()) found_.settings.emplace_back("hostname", hostname);
    take_listen();
    const std::string certificate = value("smtpd_tls_cert_file");
    if (!certificate.empty() && certificate != "none") {
      const std::string key = value("smtpd_tls_key_file");
      found_.settings.emplace_back("tls.certificate", config::yaml_scalar(certificate));
      found_.settings.emplace_back("tls.key", config::yaml_scalar(key.empty() ? certificate : key));
    }
    if (cf_.has("smtpd_tls_chain_files")) found_.leave("smtpd_tls_chain_files: name the certificate and key in tls");
    if (const auto size = base::to_number(value("message_size_limit"))) {
      if (*size == 0) {
        found_.leave("message_size_limit: 0 (none): smtpd.message_size_limit keeps its default");
      } else {
        found_.settings.emplace_back("smtpd.message_size_limit", config::size_text(*size));
      }
    }
    if (value("smtpd_tls_security_level") == "encrypt" && !certificate.empty()) found_.settings.emplace_back("smtpd.tls_required", "true");
    take_delimiter();
    take_security();
  }

  void take_listen() {
    const std::string interfaces = value("inet_interfaces"), protocols = value("inet_protocols");
    if (interfaces.empty() || interfaces == "all") {
      if (protocols == "all" || protocols.find("ipv6") != protocols.npos) {
        found_.settings.emplace_back("listen", R"(["0.0.0.0:25", "[::]:25"])");
      }
      return;
    }
    std::string addresses;
    for (const auto& item : postfix_list(interfaces)) {
      const auto server = server_text(item, 25);
      if (!server || !config::is_ip_address(config::parse_server(*server)->host)) {
        return found_.leave(fmt::format("inet_interfaces: {}: say in listen where mail is taken", interfaces));
      }
      addresses += fmt::format("{}\"{}\"", addresses.empty() ? "" : ", ", *server);
    }
    found_.settings.emplace_back("listen", "[" + addresses + "]");
  }

  void take_delimiter() {
    const std::string delimiter = value("recipient_delimiter");
    if (delimiter.empty()) return;
    found_.settings.emplace_back("recipient_delimiter", fmt::format("\"{}\"", delimiter.front()));
    if (delimiter.size() > 1) found_.leave(fmt::format("recipient_delimiter: {}: only its first character", delimiter));
  }

  void take_security() {
    const std::string level = value("smtp_tls_security_level");
    if (level.empty()) return;
    if (level == "none") return found_.of_servers.emplace_back("tls.policy", "off"), void();
    if (level == "may" || level == "encrypt" || level == "verify") {
      return found_.of_servers.emplace_back("tls.policy", level), void();
    }
    if (level == "secure") {
      found_.of_servers.emplace_back("tls.policy", "verify");
      return found_.leave("smtp_tls_security_level: secure: taken as tls.policy verify, which goes by the server's name");
    }
    found_.leave(fmt::format("smtp_tls_security_level: {}: see tls.policy and tls.dane", level));
  }

  // Items of relay_domains that are domains, whatever form they have.
  std::vector<std::string> relayed_domains() {
    std::vector<std::string> out;
    std::set<std::string> subdomains;
    const auto add = [&](const std::string& word) {
      const std::string name = base::to_lower(word);
      if (name.starts_with('.')) return found_.leave(fmt::format("relay_domains: {}: all names below it", name));
      if (const auto fault = domain_fault(name); !fault.empty()) {
        return found_.leave(fmt::format("relay_domains: '{}' {}", base::printable(name), fault));
      }
      if (std::ranges::find(out, name) == out.end()) out.push_back(name);
    };
    for (const auto& item : postfix_list(value("relay_domains"))) {
      if (item.starts_with('!')) {
        found_.leave(fmt::format("relay_domains: {}: look whether it is among the domains above", item));
      } else if (item.starts_with('/')) {
        const auto words = read_postfix_words(item, read_);
        if (!words) found_.leave(fmt::format("relay_domains: {}", words.error().text));
        if (words) std::ranges::for_each(*words, add);
      } else if (is_postfix_map(item)) {
        const auto map = read_postfix_map(item, read_);
        if (!map) found_.leave(fmt::format("relay_domains: {}: {}", item, map.error().text));
        if (map && map->is_static) found_.leave(fmt::format("relay_domains: {}: every domain", item));
        if (map && !map->is_static) std::ranges::for_each(map->entries, [&](const auto& entry) { add(entry.first); });
      } else {
        add(item);
      }
    }
    const auto own = postfix_list(value("mydestination"));
    std::erase_if(out, [&](const std::string& name) {
      const bool local = std::ranges::find(own, name) != own.end();
      if (local) found_.leave(fmt::format("{}: Postfix delivers it on that host itself (mydestination)", name));
      return local;
    });
    if (!out.empty() && (!cf_.has("parent_domain_matches_subdomains") ||
                         value("parent_domain_matches_subdomains").find("relay_domains") != std::string::npos)) {
      found_.checks.push_back("Postfix relays all names below these domains too (parent_domain_matches_subdomains); name those "
                              "that get mail.");
    }
    return out;
  }

  void take_domain(const std::string& name, const Routes& routes) {
    auto route = routes.of(name);
    if (!route) return found_.leave(fmt::format("{}: {}", name, route.error().text));
    Domain domain;
    domain.target = std::move(route->target);
    domain.checks = std::move(route->checks);
    if (!routes_unsure_.empty()) {
      domain.checks.push_back(fmt::format("{} of transport_maps, which could not be read, may say where its mail goes.", routes_unsure_));
    }
    found_.domains.emplace(name, std::move(domain));
  }

  void take_recipients() {
    std::size_t elsewhere = 0, bare = 0;
    for (const auto& table : postfix_list(value("relay_recipient_maps"))) {
      const auto map = read_postfix_map(table, read_);
      if (!map) {
        found_.leave(fmt::format("relay_recipient_maps: {}: {}; recipients are learnt, or come by rcpt import", table, map.error().text));
      } else if (map->is_static) {
        for (auto& [name, domain] : found_.domains) domain.any_recipient = true;
      } else {
        for (const auto& [key, value] : map->entries) take_recipient(key, elsewhere, bare);
      }
    }
    if (elsewhere > 0) found_.leave(fmt::format("relay_recipient_maps: {} recipients of domains that are not above", elsewhere));
    if (bare > 0) found_.leave(fmt::format("relay_recipient_maps: {} recipients without a domain, or not fit for an address", bare));
    for (auto& [name, domain] : found_.domains) {
      std::ranges::sort(domain.recipients);
      const auto [first, last] = std::ranges::unique(domain.recipients);
      domain.recipients.erase(first, last);
    }
  }

  void take_recipient(const std::string& key, std::size_t& elsewhere, std::size_t& bare) {
    const auto at = key.rfind('@');
    if (at == key.npos) return ++bare, void();
    const auto found = found_.domains.find(key.substr(at + 1));
    if (found == found_.domains.end()) return ++elsewhere, void();
    if (at == 0) {
      found->second.any_recipient = true;
      found->second.checks.push_back("Postfix takes every address of it as valid (relay_recipient_maps). So each would be kept, "
                                     "whether it exists or not; better list those that do.");
    } else if (config::local_part_fault(key.substr(0, at)).empty()) {
      found->second.recipients.push_back(key.substr(0, at));
    } else {
      ++bare;
    }
  }

  void tell_rest() {
    if (found_.domains.empty() && value("relay_domains").empty()) {
      found_.leave("relay_domains is empty: this Postfix relays no domain (virtual_mailbox_domains and mydestination are not "
                   "relayed; name their domains and servers yourself)");
    }
    std::string others;
    for (const auto& name : cf_.names()) {
      if (!kUnderstood.contains(name)) others += (others.empty() ? "" : ", ") + name;
    }
    if (!others.empty()) found_.leave("not looked at: " + others);
    if (cf_.has("mynetworks")) found_.leave("mynetworks: Holdfast relays for the domains above alone, and nobody's mail to elsewhere");
  }

  const MainCf& cf_;
  const ReadFile& read_;
  Found& found_;
  std::string routes_unsure_;
  std::set<std::string> told_;
};

}  // namespace

base::Result<Found> import_postfix(const std::string& main_cf, const std::string& source, const ReadFile& read) {
  const auto cf = MainCf::parse(main_cf);
  if (!cf) return base::fail(cf.error().kind, fmt::format("{}: {}", source, cf.error().text));
  if (cf->names().empty()) return base::fail(Kind::kData, fmt::format("{}: no setting in it", source));
  Found out;
  out.source = "Postfix's " + source;
  Reader(*cf, read, out).run();
  return out;
}

}  // namespace holdfast::importer
