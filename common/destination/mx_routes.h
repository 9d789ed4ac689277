// Which servers take a domain's mail, by the domain name system: looked up when somebody asks, kept by the
// answer's time to live, and longer while nobody can say (decision 13).
//
// - An answer that holds is given at once. One that is over is looked up again; whoever asks waits for that,
//   kPatience at most if there is an older answer, which is then used.
// - While lookups fail, the last good answer is used for kStaleFor after its time (RFC 8767 section 5 suggests one
//   to three days): an outage of the resolver is no outage of mail.
// - A final word (no such domain, no mail by RFC 7505, only ourselves left) ends an older answer at once.
// - A failure, and a final word, is repeated for kAgain without asking anew.
//
// Belongs to the loop's thread. Bounded: the longest unused of more than kMostDomains are forgotten.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/time.h"
#include "common/config/config.h"
#include "common/dns/mail_servers.h"
#include "common/net/loop.h"

namespace holdfast::destination {

using Route = std::expected<std::shared_ptr<const dns::MailRoute>, dns::Refusal>;

class MxRoutes {
 public:
  static constexpr base::Seconds kShortest{5}, kLongest{3600};  // however short or long the time to live
  static constexpr base::Seconds kStaleFor{3 * 86400};
  static constexpr base::Millis kPatience{2000};
  static constexpr base::Millis kAgain{4000};
  static constexpr std::size_t kMostDomains = 2000;

  // The servers of all destinations by MX are looked up at once: whoever has an answer gets over an outage of the
  // resolver. Else the resolver is made with the first question: a gateway that needs none has none.
  MxRoutes(net::Loop& loop, config::ConfigPtr config);
  ~MxRoutes();  // calls nobody back

  using Done = std::function<void(const Route&)>;
  // Calls back once, never inside this call. The same pointer as before says that nothing has changed.
  struct Question {
    std::string domain;
    int port = 25;
    bool dane = false;  // TLSA records too
    auto operator<=>(const Question&) const = default;
  };
  void find(const Question& question, Done done);

  // Name servers are read anew, and what is known is looked up again.
  void reload(config::ConfigPtr config);

 private:
  struct Entry;
  using Key = Question;

  void look_up_all();
  void look_up(const Key& key);
  void looked_up(const Key& key, std::expected<dns::MailRoute, dns::Refusal> found);
  void answer(Entry& entry);
  Route present(const Entry& entry) const;
  void forget_some();
  dns::MailServers& servers(const Key& key);

  net::Loop& loop_;
  config::ConfigPtr config_;
  std::map<Key, Entry> entries_;
  std::uint64_t round_ = 0;  // of reloads: an answer to an older question counts no more
  std::shared_ptr<dns::Resolver> resolver_;
  std::map<std::pair<int, bool>, dns::MailServers> servers_;  // by port and whether TLSA records are wanted
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// Equal but for the order among equals and the time to live: the same connections serve both.
bool same_servers(const dns::MailRoute& one, const dns::MailRoute& other);

}  // namespace holdfast::destination
