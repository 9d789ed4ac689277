// The configuration, read and checked (design.md section 7). Plain data: whoever has a Config may trust
// every value in it. Loader in load.h; every setting is declared once in settings.h.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/network.h"
#include "common/base/time.h"
#include "common/config/admission.h"
#include "common/config/content_filter.h"
#include "common/config/filters.h"
#include "common/config/report.h"

namespace holdfast::config {

using base::Seconds;

struct HostPort {
  std::string host;  // a name, or an address without brackets
  std::uint16_t port = 0;

  std::string text() const;  // "10.0.0.5:25", "[2001:db8::1]:25"
  bool operator==(const HostPort&) const = default;
};

// One phase of a retry schedule: while a message is younger than `until`, the wait between attempts is
// `every`, or begins with `start` and is multiplied by `factor` each time.
struct Phase {
  Seconds until{0};
  Seconds every{0};  // zero: start and factor are used
  Seconds start{0};
  double factor = 1.0;

  bool operator==(const Phase&) const = default;
};

struct Probe {
  Seconds interval{120};
  int down_after = 3;
  int up_after = 1;
};

// How long the destination is waited for.
struct Timeouts {
  Seconds connect{5};
  Seconds command{20};  // the answer to RCPT, over all servers, connecting included; and each other command
  Seconds dot{300};     // the answer to the end of the content
};

// PEM files, absolute; both empty: none.
struct KeyFiles {
  std::string certificate, key;

  bool operator==(const KeyFiles&) const = default;
};

// How the servers of a destination are spoken to.
struct DestinationTls {
  std::string policy = "may";     // off, may, encrypt, verify, pin
  std::string name;               // that the certificate must be for; empty: the server's
  std::string ca_file;            // empty: the system's
  std::vector<std::string> pins;  // SHA-256 of public keys
  bool dane = true;               // TLSA records that DNSSEC vouches for rule (RFC 7672); with `mx` alone
  KeyFiles own;

  bool operator==(const DestinationTls&) const = default;
};

// Who we are for a server that asks; `user` empty: nobody.
struct Auth {
  std::string user, password_file;
  bool plaintext = false;  // also where nothing is encrypted

  bool operator==(const Auth&) const = default;
};

// What we show to clients; STARTTLS is offered if there is a certificate.
struct Tls {
  KeyFiles own;
  std::map<std::string, KeyFiles> names;  // for clients that ask for one of these, lower case

  bool operator==(const Tls&) const = default;
};

struct Destination {
  std::string name;
  std::vector<HostPort> servers;  // in order of preference; empty only if `mx`
  bool mx = false;                // the servers are the recipient domain's MX
  std::string mx_domain;          // that domain (decision 13); empty: each message's own (bounces)
  int mx_port = 25;               // of those
  std::string protocol = "smtp";  // or lmtp
  std::string client = "none";    // how the servers hear whose mail it is: none, xclient, proxy
  Probe probe;
  Timeouts timeouts;
  DestinationTls tls;
  Auth auth;
  std::string retry = "default";  // the name it was given, "custom" for a list
  std::vector<Phase> schedule;    // never empty, `until` ascending; the last one's end is the mail's lifetime
  int jitter = 5;                 // percent by which a wait is moved either way
  bool early_warning = true;      // senders are told of a delay, if delay_warning says so; not by preset `short`
  int max_connections = 20;       // of all our processes together

  Seconds lifetime() const { return schedule.back().until; }
};

// Most that is kept; 0: no bound. More is answered 452.
struct Quota {
  std::uint64_t messages = 0, bytes = 0;
};

struct Domain {
  std::string name;  // lower case
  std::string destination;
  std::string mode = "proxy";
  std::vector<std::string> local_recipients;  // full addresses, lower case, sorted; ["*"] is any
  std::string local_recipients_file;          // where these were read from, when it was a file
  Quota quota;                                // of what is kept for it
  std::string filtering = "default";          // while its destination is down: Config::filtering, or bypass, or run
  bool greylist = false;
};

// Absolute paths. `base` is empty unless it was given; the others are always filled in.
struct Paths {
  std::string base;
  std::string spool, state, run, log;
};

struct Smtpd {
  std::uint64_t message_size_limit = 50ULL << 20;
  int max_recipients = 1000;
  Seconds command_timeout{300};
  Seconds data_timeout{600};     // between two reads of a message's content
  bool bare_newline_normalize = false;
  std::uint64_t header_size_limit = 1ULL << 20;
  int max_header_fields = 1000;
  int max_hops = 50;             // Received fields; more: a loop
  bool tls_required = false;     // 530 to all that is said in the clear
  int workers = 0;               // 0: one a core
  int max_clients = 5000;        // a worker; more get 421
  int max_errors = 20;           // of a client since its last message; then 421
  int soft_errors = 10;          // from then on each is answered later than the one before
  Seconds error_delay{1};        // by so much
  int max_junk = 100;            // commands that lead nowhere, since the last message; then 421
  Seconds content_timeout{1800};
  std::uint64_t min_rate = 20;   // octets a second of content, over a minute; 0: none
  int stress_percent = 80;       // of max_clients: from then on clients are waited for no longer than stress_timeout
  Seconds stress_timeout{10};
};

// The networks whose clients are told apart from the world's, and what those of the world may do (decision 11).
struct Clients {
  std::vector<base::Network> trusted{*base::Network::parse("127.0.0.0/8"), *base::Network::parse("::1")};
  std::vector<base::Network> proxies;  // begin each connection with a PROXY header
  Seconds proxy_timeout{5};
  std::vector<base::Network> xclients;  // may say by XCLIENT who their client is
  Seconds lookup{2};                    // for the client's name at most; 0: it is not looked up
  Seconds banner_delay{0};
  bool refuse_early = true;            // those who speak before the banner, or pipeline where they may not
  // Of a network (/32 of IPv4, /64 of IPv6), all workers together; 0: no bound.
  std::uint64_t connections = 50;
  std::uint64_t connection_rate = 0, message_rate = 0, recipient_rate = 0;  // a minute
  // Messages kept an hour while their destination is down, of a client network and for a recipient; 0: no bound.
  std::uint64_t kept_of_client = 0, kept_for_recipient = 0;
};

struct RecipientCache {
  Seconds keep{4 * 86400};
  bool count_downtime = true;
  std::uint64_t max_per_domain = 100000;
};

// Room on the spool's file system that is left alone (design.md section 4): under it, 452 4.3.1. Where a
// percentage and a number of bytes are given, the less of the two counts; 0 is one that was not given.
struct SpoolReserve {
  int percent = 10;
  std::uint64_t bytes = 1 << 30;

  std::uint64_t bytes_of(std::uint64_t size) const;      // of a file system of `size` bytes
  // Of one with so many inodes: a segment takes one, so that more than 1,000 are never asked for.
  std::uint64_t inodes_of(std::uint64_t inodes) const;
  bool operator==(const SpoolReserve&) const = default;
};

struct Bounces {
  bool scheduled = false;            // `retry: schedule`: tried like other mail, not once
  bool suppress_unfiltered = false;  // none for mail that skipped the filters
  bool suppress_spam = false;        // nor for what the filters called spam
  std::uint64_t full_limit = 100 << 10;  // RET=FULL gets the whole message back up to this size
  int mx_port = 25;                      // of servers found by MX
};

// A receiver of alerts by HTTP.
struct Webhook {
  std::string url;
  std::string format = "json";        // or slack, ntfy, alertmanager, template
  std::string body;                   // of format "template": what is sent, with {{text}} and its like
  std::string content_type;           // empty: the format's own
  std::vector<std::string> headers;   // "Name: value"
  std::string token_file;             // its first line goes along as a bearer token
  std::string ca_file;                // CAs to believe; empty: the system's

  bool operator==(const Webhook&) const = default;
};

// Who hears of trouble, by which roads, and from when on (decision 16).
struct Alerts {
  std::vector<std::string> to;        // addresses
  std::string from;                   // empty: holdfast@hostname, from the null sender
  std::vector<HostPort> relays;       // in order
  Auth auth;
  std::string tls = "verify";         // off, may, encrypt, verify
  std::string ca_file;
  std::vector<Webhook> webhooks;
  std::vector<std::string> command;   // a program and its arguments; empty: none
  Seconds command_limit{30};
  Seconds repeat{4 * 3600};           // 0: never
  std::vector<std::string> ignore;    // kinds
  std::uint64_t queue_messages = 10000;  // 0: none
  Seconds queue_age{86400};              // 0: none
  Seconds certificate{14 * 86400};

  Report report;

  bool has_road() const { return !to.empty() || !webhooks.empty() || !command.empty(); }
};

// The destination of bounces to senders who are not ours. No destination of the file may have this name.
inline constexpr std::string_view kBounces = "bounces";

struct Config {
  std::string file;  // where it was read from
  std::string hostname;
  std::vector<HostPort> listen{{"0.0.0.0", 25}};  // addresses, never names
  Paths paths;
  std::map<std::string, Destination, std::less<>> destinations;
  std::map<std::string, Domain, std::less<>> domains;
  Tls tls;
  Smtpd smtpd;
  Clients clients;
  Lists lists;
  Dnsbl dnsbl;
  Greylist greylist;
  int deliver_workers = 0;  // 0: one a core
  RecipientCache recipient_cache;
  std::string recipient_delimiter;                                    // "+" or empty: none
  std::vector<std::string> pass_on_4xx{"4.1.7", "4.1.8", "4.7.*"};    // and texts that speak of greylisting
  Quota quota;                                                        // of the whole queue
  SpoolReserve reserve;
  std::uint64_t index_map_size = 64ULL << 30;                         // address space of the queue's index
  Seconds delay_warning{0};                                           // 0: senders are not told of a delay
  Bounces bounces;
  Destination bounce_road{.name = std::string(kBounces)};             // bounces.relay, or MX; not in `destinations`
  Seconds frozen_keep{30 * 86400};                                    // 0: until an admin comes
  std::vector<HostPort> resolvers;                                    // name servers; empty: /etc/resolv.conf's
  std::string trust_anchors;                                          // of DNSSEC, a file; empty: Debian's root key
  std::string user = "holdfast";                                      // whom daemons run as when master is root
  bool sandbox = true;                                                // seccomp and Landlock
  Seconds second_look{600};                                           // expiry waits so long after the clock jumped
  Alerts alerts;
  ContentFilter content_filter;
  std::vector<Filter> filters;                                        // in the order in which they are asked
  std::string filtering = "bypass";                                   // while a destination is down: bypass or run
  bool rescan_on_drain = true;                                        // mail that skipped the filters is put through them before it goes
  std::map<std::string, std::string, std::less<>> copies;             // while down: recipient keys, and who gets a copy at once
  bool debug = false;
  std::vector<std::string> warnings;  // "FILE:LINE: text": legal, but hardly meant

  const Domain* find_domain(std::string_view name) const;             // any case, also as U-labels
  const Destination* find_destination(std::string_view name) const;   // kBounces too
  // Configured as a local recipient of its domain, or postmaster; `key` is a mail::recipient_key().
  bool is_local_recipient(std::string_view key) const;
  // Mail for it is asked after by a list, a DNS block list or greylisting.
  bool screens(const Domain& domain) const { return !lists.empty() || !dnsbl.zones.empty() || domain.greylist; }
};

using ConfigPtr = std::shared_ptr<const Config>;

}  // namespace holdfast::config
