// DNS block lists (docs/lists.md): a client's address is looked up in all zones at once, when it connects; what was found is
// remembered as long as the answers say, in bounded memory. A zone that does not answer weighs nothing, and one that has
// been silent ten times in a row is waited for by nobody until it answers again.
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
#include "common/policy/answer_pattern.h"

namespace holdfast::smtpd {

class BlockLists {
 public:
  struct Score {
    int sum = 0;
    std::string zone;  // the heaviest of those that have the address; empty: none that weighs more than 0
  };

  BlockLists(net::Loop& loop, const config::Config& config);
  ~BlockLists();
  // With other zones or name servers whoever waits is told what is known by then.
  void reload(const config::Config& config);

  bool empty() const { return zones_.empty(); }
  int threshold() const { return rules_.threshold; }
  // Begins to ask, if it is not known.
  void expect(const base::IpAddress& client);
  // What is known by now; nothing while an answer may still come.
  std::optional<Score> known(const base::IpAddress& client);

  // Ends the waiting when it is destroyed, as it may be by its own Done. It may outlive the BlockLists.
  class Wait;
  using Done = std::function<void(const Score&)>;
  // Of one that is not known(), after expect(). Calls back once, never inside this call, at most dnsbl.timeout after
  // that. Null: nobody asks after it, since too many are asked after; nobody calls back.
  std::unique_ptr<Wait> await(const base::IpAddress& client, Done done);

 private:
  using Key = std::array<std::uint8_t, 16>;
  struct Zone {
    config::DnsblZone config;
    policy::AnswerPattern pattern;
    int in_vain = 0;  // failures since its last answer
    base::Mono next_trial{};
  };
  struct Inquiry {
    std::vector<Wait*> waiting;
    std::size_t open = 0;  // zones that are waited for
    Score score;
    int heaviest = 0;
    base::Seconds ttl{0};
  };
  struct Entry {
    Key key;
    Score score;
    base::Mono until;
  };

  dns::Resolver& resolver();
  bool silent(const Zone& zone) const;
  void ask(const base::IpAddress& client, std::size_t zone, bool waited_for);
  void heard(const base::IpAddress& client, std::size_t zone, bool waited_for, const dns::Answer<std::array<std::uint8_t, 4>>& answer);
  void judge_zone(Zone& zone, bool failed);
  void settle(const Key& key);
  void remember(const Key& key, const Score& score, base::Seconds ttl);
  void forget_all();

  net::Loop& loop_;
  config::Dnsbl rules_;
  std::vector<config::HostPort> servers_;
  std::vector<Zone> zones_;
  std::unique_ptr<dns::Resolver> resolver_;  // made with the first question
  std::map<Key, Inquiry> inquiries_;
  std::list<Entry> entries_;  // the one that was used last first
  std::map<Key, std::list<Entry>::iterator> by_key_;
};

class BlockLists::Wait {
 public:
  ~Wait();
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;

 private:
  friend class BlockLists;
  Wait(BlockLists& owner, Key key, Done done) : owner_(&owner), key_(key), done_(std::move(done)) {}

  BlockLists* owner_;  // null: told
  const Key key_;
  const Done done_;
};

// "7.2.0.192.bl.example.org" (RFC 5782 section 2.1; IPv6 by nibbles, section 2.4).
std::string block_list_name(const base::IpAddress& client, const std::string& zone);

}  // namespace holdfast::smtpd
