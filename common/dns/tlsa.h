// TLSA records (RFC 6698) and what they ask of a mail server's TLS (DANE, RFC 7672). No I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/dns/answers.h"
#include "common/net/tls.h"

namespace holdfast::dns {

using Tlsa = net::TlsaRecord;

// Record data as it is in a packet; nothing when it is too short to be one.
std::optional<Tlsa> read_tlsa(std::string_view data);

// A mail server can be checked by it: DANE-TA or DANE-EE (RFC 7672 section 3.1.3: not the usages that need a CA), the
// certificate or its key, whole or as SHA-256 or SHA-512 of the right length.
bool usable(const Tlsa& record);

// "_25._tcp.mx.example.org"
std::string tlsa_name(std::string_view host, std::uint16_t port);

// What a server's TLS has to be (RFC 7672 section 2.2).
struct Dane {
  enum class Rule {
    kNone,     // as the configuration has it
    kEncrypt,  // encrypted, whoever answers: there are records, none of them usable
    kVerify,   // by one of `records`
    kUnknown,  // nobody could say, or somebody lied: nothing may be sent there now
  };
  Rule rule = Rule::kNone;
  std::vector<Tlsa> records{};  // kVerify: usable ones
  std::string base{};           // the name that they stand under, which is asked for and checked
  std::string why{};            // of kUnknown

  bool operator==(const Dane&) const = default;
};

// `answer`: for tlsa_name(base), of a server whose own address is vouched for by DNSSEC.
Dane dane_of(const Answer<Tlsa>& answer, std::string base);

}  // namespace holdfast::dns
