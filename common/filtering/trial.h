// What a filter says of one message, asked by hand: nothing is sent to anybody.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/filtering/filter_chain.h"
#include "common/filtering/spec.h"

namespace holdfast::filtering {

struct TrialMail {
  std::string hostname;   // ours
  std::string sender, recipient;
  std::string client = "192.0.2.1";  // the address it is said to come from
  std::string content;    // in wire format
};

struct TrialResult {
  std::string fault;        // why the filter could not be asked to the end; empty: it has spoken
  Outcome outcome;          // what it says, when it was asked
  std::string stage;        // at which it said so: "MAIL", "RCPT", "END-OF-MESSAGE"
  EnvelopeChanges changes;  // that it wants of the envelope
  std::vector<std::string> added_fields, removed_fields;  // of the header, with their names, on one line
  bool new_body = false;

  bool accepts() const { return fault.empty() && outcome.kind == Outcome::Kind::kContinue && !changes.quarantine; }
};

// A message that nobody should mind.
std::string harmless_mail(std::string_view hostname, std::string_view sender, std::string_view recipient, std::string_view date);

// Asks it on a loop of its own; blocks, no longer than `patience` and its own time-outs.
TrialResult try_filter(const FilterSpec& spec, const TrialMail& mail, net::Millis patience);

// Of two contents in wire format: fields of the second that the first has not, how often as they are there. Pure.
std::vector<std::string> fields_missing(std::string_view in, std::string_view of);

}  // namespace holdfast::filtering
