// The MTA's half of a session with one filter, without I/O: what happens in, bytes out, bytes in, verdicts out.
//
//   FilterSession filter;                        // begins with the negotiation: output() holds our offer
//   filter.receive(bytes);
//   while (auto event = filter.next_event()) …   // {kReady}, then an event for each stage that was asked
//   if (filter.helo("mx.example", macros)) …     // true: its verdict comes as an event; false: it goes on at once
//
// One stage at a time: the next one is asked when the last one's verdict has come. A filter that left a stage out, does
// not answer it, or has accepted already, is not waited for. What breaks the protocol's rules ends in kBroken, and no
// event comes after it: the filter is of no more use, and what becomes of the mail is the caller's choice (on_failure).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/milter/macros.h"
#include "common/milter/negotiation.h"
#include "common/milter/packet.h"
#include "common/milter/protocol.h"
#include "common/milter/verdict.h"

namespace holdfast::milter {

struct FilterEvent {
  enum class Kind {
    kReady,     // the negotiation is done: terms() are valid
    kVerdict,   // on `stage`; after kEndOfMessage take_edits() has what is to be changed
    kProgress,  // it is alive and needs more time: the wait for its verdict begins anew
    kBroken,    // `error` says why
  };
  Kind kind = Kind::kVerdict;
  Stage stage = Stage::kConnect;
  Verdict verdict;
  std::string error;
};

// Who the client is. `address` is numeric; empty: not known (family U).
struct Client {
  std::string name;
  std::string address;
  std::uint16_t port = 0;
};

struct FilterLimits {
  std::size_t body = 64 << 20;      // of a new body, in bytes
  std::size_t edits = 1'000;        // changes to a message
  std::size_t edit_bytes = 1 << 20;  // all their texts
};

class FilterSession {
 public:
  static constexpr std::size_t kBodyChunk = 65535;  // the most of a body at a time

  explicit FilterSession(FilterLimits limits = {});

  void receive(std::string_view bytes);
  std::optional<FilterEvent> next_event();

  bool connect(const Client& client, const Macros& macros);
  bool helo(std::string_view name, const Macros& macros);
  // A new message; one before it whose end was not told is aborted first. `address` without brackets; `parameters` as the
  // client wrote them.
  bool mail(std::string_view address, std::string_view parameters, const Macros& macros);
  bool rcpt(std::string_view address, std::string_view parameters, const Macros& macros);
  bool data(const Macros& macros);
  // `value` is all between the colon and the field's end, its lines parted by LF.
  bool header(std::string_view name, std::string_view value, const Macros& macros);
  bool end_of_header(const Macros& macros);
  // Plain (dots are single), lines end with CRLF, at most kBodyChunk bytes, cut anywhere.
  bool body(std::string_view chunk, const Macros& macros);
  bool end_of_message(const Macros& macros);
  // The message ends without its verdict: refused by somebody else, or reset by the client. Never has an answer; one that
  // is on its way is passed over.
  void abort();
  void quit();
  // Instead of quit(): the next client follows by connect(), on the same connection. Not in version 2.
  bool next_client();

  std::string& output() { return output_; }  // what is to be sent; the caller empties it
  const Terms& terms() const { return terms_; }
  bool broken() const { return broken_; }
  // It wants no more of this stage of this message: its answer would be "go on".
  bool passes(Stage s) const;
  std::optional<Stage> waits_for() const { return waiting_; }
  // Of the last message, once.
  Edits take_edits();

 private:
  enum class Accepted { kNo, kMessage, kClient };

  bool ask(Stage stage, std::string_view data, const Macros& macros);
  void forget_message();
  FilterEvent broken_by(std::string error);
  FilterEvent on_negotiation(const Packet& packet);
  std::optional<FilterEvent> on_packet(const Packet& packet);
  std::optional<FilterEvent> on_verdict(const Packet& packet);
  std::optional<FilterEvent> on_skip();
  std::optional<FilterEvent> on_edit(const Packet& packet);
  std::optional<std::string> add_edit(const Packet& packet);
  FilterEvent verdict(Verdict given);

  FilterLimits limits_;
  PacketReader reader_;
  std::string output_;
  Terms terms_;
  Edits edits_;
  std::size_t edit_bytes_ = 0;
  std::optional<Stage> waiting_;
  Accepted accepted_ = Accepted::kNo;
  std::uint32_t skipped_ = 0;  // stages of this message, a bit each
  bool ready_ = false;
  bool in_message_ = false;
  bool stale_ = false;  // a verdict will come that nobody waits for any more
  bool broken_ = false;
};

}  // namespace holdfast::milter
