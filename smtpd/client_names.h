// The names of clients: what the reverse zone of an address says, believed only if that name has this address
// (as Postfix does it). Asked for while the client and we go on, remembered for a while, in bounded memory. A
// loopback address has no name and is not asked for.
//
// Name servers that are silent cost few clients their time: when a third has waited in vain, and nobody was answered
// meanwhile, clients have no name, and only one in ten seconds is asked about, until there is an answer again.
//
// Belongs to the loop's thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/network.h"
#include "common/config/config.h"
#include "common/dns/resolver.h"
#include "common/net/loop.h"

namespace holdfast::smtpd {

class ClientNames {
 public:
  ClientNames(net::Loop& loop, const config::Config& config);
  ~ClientNames();
  // With other name servers whoever waits is told that there is no name.
  void reload(const config::Config& config);

  // What is known by now: the name, "" for none; nothing: it has to be asked for.
  std::optional<std::string> known(const base::IpAddress& client);
  // Somebody has waited for a name from `asked` on, and will not any longer.
  void gave_up(base::Mono asked);

  // Ends the waiting when it is destroyed, as it may be by its own Done. It may outlive the ClientNames.
  class Wait;
  using Done = std::function<void(const std::string& name)>;
  // Calls back once, never inside this call; "" for none. There is no time-out here.
  std::unique_ptr<Wait> ask(const base::IpAddress& client, Done done);

 private:
  struct Question {
    std::vector<Wait*> waiting;
    std::vector<std::string> candidates;  // of the reverse zone, still to be tried, the next one last
    base::Seconds ttl{0};
    base::Mono asked{};
  };
  using Key = std::array<std::uint8_t, 16>;

  dns::Resolver& resolver();
  bool may_ask();
  void heard();
  void begin(const base::IpAddress& client);
  void try_next(const base::IpAddress& client);
  void finish(const base::IpAddress& client, const std::string& name, base::Seconds ttl);
  void tell(const Key& key, const std::string& name);

  struct Entry {
    Key key;
    std::string name;
    base::Mono until;
  };

  net::Loop& loop_;
  std::vector<config::HostPort> servers_;
  base::Seconds lookup_;
  int in_vain_ = 0;            // waits since the last answer
  base::Mono answered_{}, next_trial_{};
  std::unique_ptr<dns::Resolver> resolver_;  // made with the first question
  std::map<Key, Question> questions_;
  std::list<Entry> entries_;  // the one that was used last first
  std::map<Key, std::list<Entry>::iterator> by_key_;
};

class ClientNames::Wait {
 public:
  ~Wait();
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;

 private:
  friend class ClientNames;
  Wait(ClientNames& owner, Key key, Done done) : owner_(&owner), key_(key), done_(std::move(done)) {}

  ClientNames* owner_;  // null: told
  const Key key_;
  const Done done_;
};

}  // namespace holdfast::smtpd
