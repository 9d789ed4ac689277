// The forms in which values are written: durations, sizes, servers, names. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/error.h"
#include "common/base/time.h"
#include "common/config/config.h"

namespace holdfast::config {

// "90s", "15m", "4h", "4d", "1h30m"; a bare 0 needs no unit. Errors say what is wrong, without a place.
base::Result<base::Seconds> parse_duration(std::string_view text);
// With the largest unit that is exact: "15m", "90s".
std::string duration_text(base::Seconds d);

// "10MiB", "512KiB", "1GiB", "1048576".
base::Result<std::uint64_t> parse_size(std::string_view text);
std::string size_text(std::uint64_t bytes);

// "mail.example.test:25", "10.0.0.5", "[2001:db8::1]:25"; without a port: 25.
base::Result<HostPort> parse_server(std::string_view text);
// The same, but an address, never a name; "*" stands for every IPv4 address.
base::Result<HostPort> parse_listen(std::string_view text);

// An address, never a name; without a port: 53.
base::Result<HostPort> parse_resolver(std::string_view text);

// Where mail is submitted; without a port: 587.
base::Result<HostPort> parse_submission(std::string_view text);
// "" or what is wrong with the URL of a webhook: http or https, a host, no user or password, no blank.
std::string url_fault(std::string_view text);

// "10%", "2GiB", "10% or 1GiB".
base::Result<SpoolReserve> parse_reserve(std::string_view text);
std::string reserve_text(const SpoolReserve& reserve);

bool is_ip_address(std::string_view text);
// "" or what is wrong with it (RFC 1123 section 2.1; no trailing dot; U-labels must come as xn--).
std::string hostname_fault(std::string_view text);
// The local part of an address as a dot-atom (RFC 5321 section 4.1.2): "" or what is wrong.
std::string local_part_fault(std::string_view text);

// A text as a YAML scalar: bare where that is safe, else in double quotes.
std::string yaml_scalar(std::string_view text);

}  // namespace holdfast::config
