#include "smtpd/client_filters.h"

#include <algorithm>
#include <chrono>

#include <fmt/core.h>

#include "common/base/announce.h"
#include "common/base/log.h"
#include "common/base/panic.h"

namespace holdfast::smtpd {
namespace {

filtering::OnFailure on_failure(std::string_view text) {
  if (text == "accept") return filtering::OnFailure::kAccept;
  return text == "reject" ? filtering::OnFailure::kReject : filtering::OnFailure::kTempfail;
}

// Of "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)".
void set_tls_macros(milter::Macros& macros, std::string_view tls) {
  constexpr std::string_view kWith = " with cipher ";
  const auto with = tls.find(kWith);
  if (with == tls.npos) return;
  macros.set("{tls_version}", std::string(tls.substr(0, with)));
  const auto rest = tls.substr(with + kWith.size());
  const auto blank = rest.find(" (");
  macros.set("{cipher}", std::string(rest.substr(0, blank)));
  if (blank == rest.npos) return;
  const auto bits = rest.substr(blank + 2);
  macros.set("{cipher_bits}", std::string(bits.substr(0, bits.find('/'))));
}

}  // namespace

ClientFilters::ClientFilters(Shared& shared, const Client& client, net::SocketAddress local)
    : shared_(shared), client_(client), local_(std::move(local)) {}

bool ClientFilters::came_by(const std::vector<std::string>& listeners) const {
  if (listeners.empty()) return true;
  const std::string port = fmt::format(":{}", local_.port());
  return std::ranges::any_of(listeners, [&](const std::string& listener) {
    return listener == local_.text() || listener == "0.0.0.0" + port || listener == "[::]" + port;
  });
}

ClientFilters::Set ClientFilters::asked_after(const config::Config& config, const config::Domain& domain) const {
  Set out;
  for (std::size_t i = 0; i < config.filters.size(); ++i) {
    const auto& filter = config.filters[i];
    if (filter.asks_after(domain.name) && came_by(filter.listeners)) out.push_back(i);
  }
  return out;
}

// The settings are checked: an address is one.
filtering::FilterSpec ClientFilters::spec(const config::Filter& filter, const config::Paths& paths) const {
  const auto where = config::filter_address(filter.milter, paths);
  base::expect(where.has_value(), "a milter that is nowhere");
  auto address = where->path.empty() ? net::SocketAddress::ip(where->host, where->port)
                                     : net::SocketAddress::unix_path(where->path);
  base::expect(address.has_value(), "a milter without an address");
  return {.name = filter.name,
          .address = *address,
          .on_failure = on_failure(filter.on_failure),
          .connect = filter.connect,
          .command = filter.command,
          .content = filter.content};
}

filtering::FilterChain& ClientFilters::chain(const config::ConfigPtr& config, const Set& set) {
  if (chain_ && config_ == config && set_ == set) return *chain_;
  config_ = config;
  set_ = set;
  std::vector<filtering::FilterSpec> specs;
  for (const auto i : set) specs.push_back(spec(config->filters[i], config->paths));
  const std::string name = client_.name.empty() ? client_.literal : client_.name;
  chain_ = std::make_unique<filtering::FilterChain>(
      shared_.loop, std::move(specs),
      filtering::ClientFacts{.client = {.name = name, .address = client_.address, .port = client_.port},
                             .helo = client_.helo},
      shared_.spool.contents_folder(),
      [this](const std::string& filter, const std::string& fault) { note(filter, fault); });
  set_macros(*config);
  return *chain_;
}

// Names and values as Postfix has them (its MILTER_README).
void ClientFilters::set_macros(const config::Config& config) {
  auto& macros = chain_->macros();
  const std::string name = client_.name.empty() ? "unknown" : client_.name;
  macros.set("j", config.hostname);
  macros.set("v", "Holdfast");
  macros.set("{daemon_name}", config.hostname);
  macros.set("{daemon_addr}", local_.host());
  macros.set("{daemon_port}", fmt::format("{}", local_.port()));
  macros.set("_", fmt::format("{} {}", name, client_.literal));
  macros.set("{client_addr}", client_.address);
  macros.set("{client_name}", name);
  macros.set("{client_ptr}", name);
  macros.set("{client_port}", fmt::format("{}", client_.port));
  set_tls_macros(macros, client_.tls);
}

// Told when it changes in this process.
void ClientFilters::note(const std::string& filter, const std::string& fault) {
  const bool failing = !fault.empty();
  if (failing) base::log().warning(fmt::format("filter {}: {}", filter, fault));
  const auto found = shared_.filters_failing.find(filter);
  const bool was = found != shared_.filters_failing.end();
  if (failing == was) return;
  if (failing) {
    shared_.filters_failing.insert(filter);
    base::announce(base::Level::kError, "filter_failing", {{"filter", filter}, {"reason", fault}});
  } else {
    shared_.filters_failing.erase(found);
    base::log().notice(fmt::format("filter {} works again", filter));
    base::announce(base::Level::kNotice, "filter_works", {{"filter", filter}});
  }
}

}  // namespace holdfast::smtpd
