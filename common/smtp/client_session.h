// The client half of an SMTP session without I/O: commands in, bytes out, bytes in, replies out.
//
//   ClientSession session;                       // waits for the banner
//   session.receive(bytes);
//   while (auto event = session.next_event()) …  // {kReply, kBanner, 220 …}
//   session.ehlo("mx.example.test");
//   stream.write(session.output()); session.output().clear();
//
// Replies are matched to commands in order. Whether commands are pipelined is the caller's choice
// (capabilities().pipelining says whether the server allows it, RFC 2920); the only rule kept here is that
// content follows nothing but an answered 354. After kBroken, and after quit() was answered, no event comes.
//
// Texts given to the commands must be without control characters: they come from parsed addresses and
// from the configuration. One that is not is a broken invariant.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/mail/destination_state.h"
#include "common/mail/reply.h"
#include "common/smtp/line_reader.h"
#include "common/smtp/reply_parser.h"

namespace holdfast::smtp {

enum class ClientCommand : std::uint8_t {
  kBanner, kEhlo, kHelo, kMail, kRcpt, kData, kDot, kRset, kNoop, kQuit, kLhlo, kStartTls, kAuth, kXclient,
};
std::string_view to_text(ClientCommand c);  // "banner", "EHLO", … , "end of DATA"

struct ClientEvent {
  enum class Kind {
    kReply,    // `reply` answers `command`, the oldest that was not answered yet
    kUnasked,  // a reply that came before anything it could answer was sent: a 421, mostly; the session is of
               // no more use
    kBroken,   // what came is no SMTP; `error` says why, `reply` is empty (code 0)
  };
  Kind kind = Kind::kReply;
  ClientCommand command = ClientCommand::kBanner;  // kBroken: the one that awaited its answer
  mail::Reply reply;
  std::string error;
};

// What an EHLO reply offers beyond mail::Capabilities, of use only while the connection lasts.
struct Offers {
  bool auth_plain = false, auth_login = false;  // RFC 4954
  std::string xclient_names;                    // that XCLIENT takes: "NAME ADDR PORT"
  std::uint32_t rcpt_max = 0;                   // RFC 9422: recipients a transaction; 0: not told
};

class ClientSession {
 public:
  ClientSession();

  void receive(std::string_view bytes);
  std::optional<ClientEvent> next_event();

  void ehlo(std::string_view name);
  void helo(std::string_view name);
  // LMTP (RFC 2033): instead of EHLO. From now on the dot is answered once for each recipient of the transaction that
  // was accepted, in their order: so many events of kDot follow it.
  void lhlo(std::string_view name);
  // RFC 3207. Nothing may be outstanding, and nothing may follow before tls_started(): the handshake was made after
  // the 220. What the server sent behind its 220 is thrown away, and all that it offered is forgotten; ehlo() is next.
  void starttls();
  void tls_started();
  // RFC 4954, RFC 4616. One event of kAuth at the end; what lies between the session answers by itself. Nothing may
  // be outstanding. The words are kept no longer than they are needed.
  void auth_plain(std::string_view user, std::string_view password);
  void auth_login(std::string_view user, std::string_view password);
  // `argument` by xclient_argument(). Behind its 220 the server has forgotten all: ehlo() is next.
  void xclient(std::string_view argument);
  // `address` without brackets, "" for <>; `parameters` as they are to be sent ("SIZE=123 BODY=8BITMIME").
  void mail(std::string_view address, std::string_view parameters = {});
  void rcpt(std::string_view address, std::string_view parameters = {});
  void data();
  // ".\r\n", once in_content(). The content itself, in wire format and ending in CRLF (or empty), the caller
  // writes to the connection before that, with output() empty: it needs no change and no buffer here.
  void end_content();
  void rset();
  void noop();
  void quit();

  // What is to be sent; the caller empties it.
  std::string& output() { return output_; }
  // Of the last EHLO that was answered 2xx; esmtp is false after HELO.
  const mail::Capabilities& capabilities() const { return capabilities_; }
  const Offers& offers() const { return offers_; }
  // Commands (the banner included) whose replies have not come.
  std::size_t outstanding() const { return outstanding_.size() - answered_; }
  bool broken() const { return broken_; }
  // 354 was answered, the final dot is not sent yet: the session can only go on or be closed.
  bool in_content() const { return in_content_; }

 private:
  void send(ClientCommand command, std::string_view verb, std::string_view argument = {});
  void forget_server();
  std::optional<ClientEvent> on_challenge(const mail::Reply& reply);
  void send_path(ClientCommand command, std::string_view verb, std::string_view address, std::string_view parameters);
  std::optional<ClientEvent> on_reply(mail::Reply reply);
  void learn(ClientCommand command, const mail::Reply& reply);
  ClientEvent broken_by(std::string error);

  LineReader reader_;
  ReplyParser parser_;
  std::string output_;
  std::vector<ClientCommand> outstanding_;
  std::size_t answered_ = 0;  // of outstanding_, from its front
  mail::Capabilities capabilities_;
  Offers offers_;
  std::vector<std::string> challenge_answers_;  // of AUTH, base64, the next one last
  std::size_t accepted_ = 0;                    // recipients of the transaction
  bool lmtp_ = false;
  bool broken_ = false;
  bool in_content_ = false;
  bool in_handshake_ = false;  // from the 220 to STARTTLS to tls_started()
  bool early_ = false;  // a command was sent while a reply lay there already
};

// The extensions that an EHLO reply lists (RFC 5321 section 4.1.1.1).
mail::Capabilities parse_capabilities(const mail::Reply& ehlo);
Offers parse_offers(const mail::Reply& ehlo);

}  // namespace holdfast::smtp
