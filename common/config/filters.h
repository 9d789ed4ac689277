// Filters by the milter protocol: `filters:` and `while_down.filtering` (decision 20). Plain data, rows of
// global_settings().
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.h"

namespace holdfast::config {

struct Config;
struct Paths;
template <class Owner>
struct Setting;

struct Filter {
  std::string name;
  std::string milter;                   // inet:ADDRESS:PORT, unix:PATH, or holdfast
  std::string on_failure = "tempfail";  // or accept, or reject
  base::Seconds connect{30};            // until it has answered our offer
  base::Seconds command{30};            // for a word on connect, HELO, MAIL and RCPT
  base::Seconds content{300};           // for a word on each part of the content, and on its end
  std::vector<std::string> domains;     // of recipients, lower case; empty: all
  std::vector<std::string> listeners;   // that the client came to, as HostPort::text() has them; empty: all

  bool asks_after(std::string_view domain) const;  // lower case
  bool operator==(const Filter&) const = default;
};

// Where a filter listens.
struct FilterAddress {
  std::string path;          // of a Unix socket, else empty
  std::string host;          // an address
  std::uint16_t port = 0;
};

// Nothing: `milter` is none of the forms. `holdfast` is the socket of holdfast-filter.
std::optional<FilterAddress> filter_address(std::string_view milter, const Paths& paths);

// What is wrong with it alone; for a person.
std::vector<std::string> faults_of(const Filter& filter);

std::span<const Setting<Config>> filter_settings();  // `filters`

}  // namespace holdfast::config
