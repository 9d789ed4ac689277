// POST destinations/NAME/test, GET recipients/refused: what takes its time and only looks.
#include <algorithm>

#include <fmt/core.h>

#include "common/admin/dest_look.h"
#include "common/admin/refused_list.h"
#include "common/destination/dest_test.h"
#include "webd/answers.h"
#include "webd/body.h"

namespace holdfast::webd {
namespace {

constexpr base::Seconds kLogPatience{20};
constexpr std::size_t kMostRefused = 1'000;

// Its passwords and keys are handed to those who deliver, not to webd.
bool needs_secrets(const config::Destination& destination) {
  const auto& tls = destination.tls;
  const auto files = {&tls.ca_file, &tls.own.certificate, &tls.own.key, &destination.auth.password_file};
  return std::ranges::any_of(files, [](const std::string* file) { return !file->empty(); });
}

json as_json(const destination::Finding& finding) {
  return {{"server", finding.server.empty() ? json() : json(finding.server)},
          {"step", finding.step},
          {"result", to_text(finding.result)},
          {"text", finding.text}};
}

}  // namespace

Response test_destination(Call& call) {
  const auto destination = admin::find_destination(*call.gateway, call.names.front());
  if (!destination) return failure(destination.error());
  if (needs_secrets(**destination)) {
    return failure({base::Kind::kTemporary, fmt::format("its password or key is not webd's to read: run gatewayctl dest test {}",
                                                        (*destination)->name)});
  }
  const destination::DestTest test{.config = call.gateway->config(),
                                   .destination = **destination,
                                   .servers = admin::servers_of(*call.gateway, **destination),
                                   .domain = admin::domain_of(*call.gateway, **destination)};
  if (test.servers.empty()) return failure({base::Kind::kTemporary, "no server of it is known yet"});
  json findings = json::array();
  const bool good = destination::run_dest_test(test, [&](const auto& finding) { findings.push_back(as_json(finding)); });
  call.detail = fmt::format("{}: {}", (*destination)->name, good ? "good" : "something fails");
  return answer({{"good", good}, {"findings", findings}});
}

Response refused_recipients(Call& call) {
  const auto limit = limit_of(call, 100, kMostRefused);
  if (!limit) return failure(limit.error());
  const auto until = base::mono_now() + kLogPatience;
  const auto found = admin::refused_while_down(call.gateway->config().paths.log, [&] { return base::mono_now() < until; });
  if (!found) return failure(found.error());
  std::vector<std::string> lines;
  for (const auto& refused : *found) {
    if (lines.size() < *limit) lines.push_back(admin::refused_json(refused));
  }
  return answer_text(fmt::format("{{\"refused\":{},\"all\":{}}}\n", array_of(lines), found->size()));
}

}  // namespace holdfast::webd
