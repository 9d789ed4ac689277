// Which server of a destination to try: the pure part of the pool. Time comes in as an argument.
//
// A server that failed is passed over for the penalty, if others stand. When that is over one attempt
// alone is sent to it: as it starts, the others see a new penalty, which the attempt's success lifts.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "common/base/time.h"

namespace holdfast::upstream {

struct Security;

struct ServerName {
  std::string host;  // a name, or an address without brackets
  std::uint16_t port = 25;
  std::string text;  // what it is called to the directory and the prober: config::HostPort::text()
  std::string name;  // what it is called in logs; empty: as `host`
  int rank = 0;      // not 0: those of the same rank stand together and are equals, one is chosen by chance (RFC 5321
                     // section 5.1), but the addresses of one `name` in their order

  std::shared_ptr<const Security> security{};  // of this server alone (DANE); null: the pool's

  bool operator==(const ServerName&) const = default;
};

class ServerBook {
 public:
  using Usable = std::function<bool(const ServerName&)>;
  ServerBook(std::vector<ServerName> servers, base::Millis penalty, base::Millis breaker);

  // The server to use now, as an index: in order (by chance among equals), neither in `tried`, nor unusable (unless all are), nor,
  // if another is left, penalised. Nothing when all have been tried.
  std::optional<std::size_t> pick(base::Mono now, const Usable& usable, const std::vector<bool>& tried);
  // Those that pick() may still give: to divide the time left among them.
  std::size_t left(const Usable& usable, const std::vector<bool>& tried) const;

  void attempt(std::size_t server, base::Mono now);  // a new connection to it is begun
  void failed(std::size_t server, base::Mono now);
  void succeeded(std::size_t server);  // also closes the breaker
  void all_failed(base::Mono now);     // opens the breaker
  bool penalised(std::size_t server, base::Mono now) const { return now < servers_[server].penalised_until; }
  bool breaker_open(base::Mono now) const { return now < breaker_until_; }
  void forgive();

  // True at most once a second a server: successes are worth a report only so often.
  bool worth_reporting(std::size_t server, base::Mono now);

  const ServerName& name(std::size_t server) const { return servers_[server].name; }
  std::size_t size() const { return servers_.size(); }
  std::vector<bool> marked(const std::vector<std::string>& texts) const;

 private:
  struct Server {
    ServerName name;
    bool suspect = false;  // failed, and has not succeeded since
    base::Mono penalised_until{};
    base::Mono reported{};
  };
  std::vector<bool> allowed(const Usable& usable, const std::vector<bool>& tried) const;

  std::vector<Server> servers_;
  base::Millis penalty_, breaker_;
  base::Mono breaker_until_{};
  std::minstd_rand chance_{std::random_device{}()};
};

}  // namespace holdfast::upstream
