// Who is let in: lists, DNS block lists and greylisting as they are configured (decisions 21 and 22). Plain data; what it
// means is common/policy's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/time.h"

namespace holdfast::config {

// An entry of a list, or a file of them. Where it stands is for a person's eyes.
struct ListItem {
  std::string text;      // the entry; empty: a file
  std::string file;      // absolute
  std::string in_file;   // where the item itself stands
  int line = 0;
};

struct ListPair {
  std::vector<ListItem> allow, block;

  bool empty() const { return allow.empty() && block.empty(); }
};

struct Lists {
  ListPair client, helo, sender, recipient;

  bool empty() const { return client.empty() && helo.empty() && sender.empty() && recipient.empty(); }
};

struct DnsblZone {
  std::string zone;      // lower case
  int weight = 1;        // less than 0: those whom it lists are known as good
  std::string answers;   // policy::AnswerPattern; empty: what policy takes as listed

  bool operator==(const DnsblZone&) const = default;
};

struct Dnsbl {
  std::vector<DnsblZone> zones;
  int threshold = 1;             // a client whose zones weigh so much is refused
  base::Seconds timeout{5};      // from its connection on; a zone that has not answered by then weighs nothing
};

// Of a domain it is on or off (Domain::greylist).
struct Greylist {
  base::Seconds delay{300};              // a triplet that is tried again after so long passes
  base::Seconds window{2 * 86400};       // if it is tried within this, from the first time on
  base::Seconds lifetime{36 * 86400};    // and then passes at once, until it has not been seen for so long
  int auto_allow = 5;                    // triplets that passed let their client's network pass; 0: never
  std::uint64_t max_entries = 10'000'000;
};

}  // namespace holdfast::config
