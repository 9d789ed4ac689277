#include "import/postfix_route.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/base/text.h"
#include "common/config/values.h"
#include "import/main_cf.h"
#include "import/servers.h"

namespace holdfast::importer {
namespace {

using base::fail;
using base::Kind;

constexpr int kSmtpPort = 25, kLmtpPort = 24;  // LMTP's as Postfix has it (lmtp_tcp_port)

struct Hop {
  std::string host;
  int port = 0;
  bool bracketed = false;
};

base::Result<int> parse_port(std::string_view text) {
  if (text == "smtp") return kSmtpPort;
  if (text == "lmtp") return kLmtpPort;
  if (text == "submission") return 587;
  const auto number = base::to_number(text);
  if (!number || *number == 0 || *number > 65535) return fail(Kind::kData, fmt::format("'{}' is no port", base::printable(text)));
  return static_cast<int>(*number);
}

// "[host]:port", "host:port", "[host]", "host".
base::Result<Hop> parse_hop(std::string_view text, int standard) {
  Hop out{.port = standard};
  auto rest = text;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == text.npos) return fail(Kind::kData, fmt::format("'{}' lacks its ]", base::printable(text)));
    out.bracketed = true;
    out.host = base::to_lower(text.substr(1, end - 1));
    rest = text.substr(end + 1);
  } else {
    const auto colon = text.rfind(':');
    out.host = base::to_lower(text.substr(0, colon));
    rest = colon == text.npos ? std::string_view() : text.substr(colon);
  }
  if (rest.empty()) return out;
  if (rest.front() != ':') return fail(Kind::kData, fmt::format("'{}' is no server", base::printable(text)));
  const auto port = parse_port(rest.substr(1));
  if (!port) return std::unexpected(port.error());
  out.port = *port;
  return out;
}

base::Status add_hop(const Hop& hop, const std::string& domain, Route& route) {
  const auto server = server_text(hop.host, hop.port);
  if (!server) return std::unexpected(server.error());
  route.target.servers.push_back(*server);
  if (!hop.bracketed && !route.target.lmtp && !config::is_ip_address(hop.host)) {
    route.checks.push_back(fmt::format("Postfix asks DNS for the MX of {0}, and sends {1}'s mail there. If it has one, name those "
                                       "hosts as servers instead of {0}.", hop.host, domain));
  }
  return {};
}

base::Status add_next_hop(std::string next_hop, const std::string& domain, Route& route) {
  const int standard = route.target.lmtp ? kLmtpPort : kSmtpPort;
  if (route.target.lmtp && next_hop.starts_with("unix:")) return fail(Kind::kData, "LMTP by a Unix socket, which Holdfast does not speak");
  if (route.target.lmtp && next_hop.starts_with("inet:")) next_hop.erase(0, 5);
  for (const auto& item : postfix_list(next_hop)) {
    const auto hop = parse_hop(item, standard);
    if (!hop) return std::unexpected(hop.error());
    if (!hop->bracketed && hop->host == domain && !route.target.lmtp) {  // its own MX
      route.target.mx = true;
      route.target.mx_port = hop->port;
    } else if (auto added = add_hop(*hop, domain, route); !added) {
      return added;
    }
  }
  if (route.target.mx && !route.target.servers.empty()) return fail(Kind::kData, "its MX and servers besides, which one destination cannot have");
  return {};
}

}  // namespace

base::Result<Route> parse_transport(std::string_view text, const std::string& domain, const std::string& otherwise,
                                    const std::string& relayhost) {
  const auto colon = text.find(':');
  std::string transport = base::to_lower(base::trim(text.substr(0, colon)));
  std::string next_hop(colon == text.npos ? std::string_view() : base::trim(text.substr(colon + 1)));
  if (transport.empty()) {
    const auto standard = otherwise.find(':');
    transport = otherwise.substr(0, standard);
    if (next_hop.empty() && standard != otherwise.npos) next_hop = otherwise.substr(standard + 1);
    if (next_hop.empty()) next_hop = relayhost;
  }
  Route out;
  out.target.lmtp = transport == "lmtp";
  if (transport == "error" || transport == "discard" || transport == "retry") {
    return fail(Kind::kData, fmt::format("Postfix does not deliver its mail ({}:)", transport));
  }
  if (transport != "smtp" && transport != "relay" && transport != "lmtp") {
    return fail(Kind::kData, fmt::format("goes by the transport '{}' of master.cf: name its destination yourself", base::printable(transport)));
  }
  if (next_hop.empty() && out.target.lmtp) return fail(Kind::kData, "LMTP without a server");
  out.target.mx = next_hop.empty();
  if (auto done = add_next_hop(next_hop, domain, out); !done) return std::unexpected(done.error());
  return out;
}

const std::string* Routes::find(const std::string& domain) const {
  // transport(5): each key in all tables before the next key.
  std::vector<std::string> keys{domain};
  for (auto dot = domain.find('.'); dot != domain.npos; dot = domain.find('.', dot + 1)) keys.push_back(domain.substr(dot));
  keys.push_back("*");
  for (const auto& key : keys) {
    for (const auto& map : maps_) {
      if (const auto* value = map.find(key)) return value;
    }
  }
  return nullptr;
}

base::Result<Route> Routes::of(const std::string& domain) const {
  const auto* value = find(domain);
  return parse_transport(value == nullptr ? ":" : *value, domain, relay_transport_, relayhost_);
}

std::vector<std::string> Routes::not_of(const std::vector<std::string>& domains) const {
  std::vector<std::string> out;
  std::size_t others = 0;
  for (const auto& map : maps_) {
    if (map.is_static) continue;
    for (const auto& [key, value] : map.entries) {
      const auto at = key.rfind('@');
      const bool ours = std::ranges::find(domains, at == key.npos ? key : key.substr(at + 1)) != domains.end();
      if (at != key.npos && ours) out.push_back(fmt::format("{}: a way of its own for one address ({})", key, value));
      if (at == key.npos && !ours && key != "*" && !key.starts_with('.')) ++others;
    }
  }
  if (others > 0) out.push_back(fmt::format("{} entries for domains that are not above", others));
  return out;
}

}  // namespace holdfast::importer
