#include "smtpd/client_filters.h"

#include <utility>

#include "common/scanning/told.h"

namespace holdfast::smtpd {

bool came_by(const std::vector<std::string>& listeners, const net::SocketAddress& local) {
  return scanning::came_by(listeners, local.text());
}

ClientFilters::ClientFilters(Shared& shared, const Client& client, net::SocketAddress local)
    : shared_(shared), client_(client), local_(std::move(local)) {}

ClientFilters::Set ClientFilters::asked_after(const config::Config& config, const config::Domain& domain) const {
  return scanning::asked_after(config, domain, local_.text());
}

filtering::FilterChain& ClientFilters::chain(const config::ConfigPtr& config, const Set& set) {
  if (chain_ && config_ == config && set_ == set) return *chain_;
  config_ = config;
  set_ = set;
  auto specs = scanning::specs_of(*config, set);
  for (auto& spec : specs) spec.fault = shared_.filters.left_alone(spec.name, shared_.loop.now());
  const std::string name = client_.name.empty() ? client_.literal : client_.name;
  chain_ = std::make_unique<filtering::FilterChain>(
      shared_.loop, std::move(specs),
      filtering::ClientFacts{.client = {.name = name, .address = client_.address, .port = client_.port},
                             .helo = client_.helo},
      shared_.spool.contents_folder(),
      [this](const std::string& filter, const std::string& fault) { shared_.filters.note(filter, fault, shared_.loop.now()); });
  const std::string listener = local_.text();
  scanning::tell_visit(chain_->macros(), {.hostname = config->hostname,
                                          .listener = listener,
                                          .name = client_.name,
                                          .address = client_.address,
                                          .literal = client_.literal,
                                          .port = client_.port,
                                          .tls = client_.tls});
  return *chain_;
}

}  // namespace holdfast::smtpd
