// The entries of one side of a list, allow or block, found in constant time: hashes for addresses and domains, a hash for
// each length of a network's prefix, the longest first. Regular expressions are tried in their order. Pure; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/policy/entry.h"
#include "common/policy/regex.h"

namespace holdfast::policy {

// Where an entry stands: the file by its number, the line in it.
struct Origin {
  std::uint32_t file = 0, line = 0;
};

class MatchSet {
 public:
  // Of the same entry twice the first counts.
  void add(Entry entry, Origin origin);

  struct Found {
    std::string entry;  // as it would be written
    Origin origin;
  };
  // What was looked for: the most exact first, regular expressions last.
  std::optional<Found> client(const base::IpAddress& address, std::string_view name) const;
  std::optional<Found> name(std::string_view helo) const;
  // Lower case, "" is <>. `key` is the same without the recipient's extension, or empty.
  std::optional<Found> mailbox(std::string_view address, std::string_view key = {}) const;

  std::size_t size() const { return size_; }
  std::size_t regexes() const { return regexes_.size(); }
  // Of regular expressions that took too long, since the start.
  std::uint64_t gave_up() const { return gave_up_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  using Names = std::unordered_map<std::string, Origin, Hash, std::equal_to<>>;
  struct HashAddress {
    std::size_t operator()(const base::IpAddress& address) const;
  };
  struct Prefix {
    int bits = 0;  // of the 128
    std::unordered_map<base::IpAddress, Origin, HashAddress> networks{};
  };

  std::optional<Found> exact(std::string_view key) const;
  std::optional<Found> domain(std::string_view name) const;
  std::optional<Found> regex(std::string_view subject) const;

  Names exact_, local_, domains_, subdomains_;
  std::vector<Prefix> prefixes_;  // the longest first
  std::vector<std::pair<Regex, Origin>> regexes_;
  std::size_t size_ = 0;
  mutable std::uint64_t gave_up_ = 0;
};

}  // namespace holdfast::policy
