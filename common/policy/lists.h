// Allow and block lists of clients, HELO names, senders and recipients (docs/lists.md). Made once from all entries, then
// only asked. Pure; one thread.
//
// The kinds are asked in the order client, HELO, sender, recipient; the first that has the subject decides. Within a kind what
// is allowed wins over what is blocked. To be allowed ends all asking, as OK does in Postfix's access tables.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/policy/match_set.h"

namespace holdfast::policy {

struct Match {
  ListKind kind = ListKind::kClient;
  bool allow = false;
  std::string entry;  // as it is written in the list
  std::string place;  // "FILE:LINE"
};

// Of a recipient of a message.
struct Visit {
  base::IpAddress client;
  std::string_view name;       // of the client; empty: it has none
  std::string_view helo;
  std::string_view sender;     // "local@domain"; empty: <>
  std::string_view recipient;
  std::string_view recipient_key;  // lower case, without an extension; empty: the same
};

class Lists {
 public:
  // The number of a file, for Origin.
  std::uint32_t add_file(std::string name);
  void add(ListKind kind, bool allow, Entry entry, Origin origin);

  // What decides, if anything does.
  std::optional<Match> judge(const Visit& visit) const;
  // Everything that this subject alone is found by, allow before block in each kind; for a person's question.
  std::vector<Match> matches(ListKind kind, std::string_view subject) const;
  // Of a client by address with its name, or by name alone.
  std::vector<Match> client_matches(const std::optional<base::IpAddress>& address, std::string_view name) const;

  bool empty() const { return size() == 0; }
  std::size_t size() const;
  std::size_t regexes() const;
  std::uint64_t gave_up() const;

 private:
  struct Pair {
    MatchSet allow, block;
  };
  const Pair& of(ListKind kind) const { return pairs_[static_cast<std::size_t>(kind)]; }
  template <class Ask>
  std::optional<Match> decide(ListKind kind, const Ask& ask) const;
  template <class Ask>
  std::vector<Match> both(ListKind kind, const Ask& ask) const;
  Match match(ListKind kind, bool allow, MatchSet::Found found) const;

  std::array<Pair, 4> pairs_;
  std::vector<std::string> files_;
};

// An address as lists know it: lower case, the domain as A-labels.
std::string list_key(std::string_view address);

// "<mail.example.org[192.0.2.1]>: Client host rejected: Access denied": what a client is told behind 554 5.7.1.
std::string refusal_text(ListKind kind, const Visit& visit);

}  // namespace holdfast::policy
