// The part of the server session that deals with content: what follows 354, and the octets of BDAT.
#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "common/base/panic.h"
#include "common/smtp/server_session.h"

namespace holdfast::smtp {

using mail::Reply;

Reply ServerSession::too_big() const {
  return Reply::make(552, "5.3.4", fmt::format("Message is bigger than {} bytes", options_.size_limit));
}

ServerSession::Maybe ServerSession::on_content() {
  std::string_view in = reader_.rest();
  while (auto piece = decoder_->next(in)) {
    reader_.use(reader_.buffered() - in.size());
    if (options_.size_limit == 0 || decoder_->octets() <= options_.size_limit) return event::Content{*piece};
  }
  reader_.use(reader_.buffered() - in.size());
  if (!decoder_->ended()) return std::nullopt;
  return end_of_content(decoder_->octets(), decoder_->bare_newline());
}

ServerSession::Maybe ServerSession::end_of_content(std::uint64_t octets, bool bare_newline) {
  event::ContentEnd end{octets, std::nullopt};
  if (options_.size_limit > 0 && octets > options_.size_limit) {
    end.refusal = too_big();
  } else if (bare_newline && options_.bare_newline == BareNewline::kReject) {
    end.refusal = Reply::make(550, "5.6.11", "Bare CR or LF in the message: lines end in CRLF");
  }
  content_refused_ = end.refusal.has_value();
  return await(Verb::kDot, std::move(end));
}

// The table has a row for it, and its argument was looked at.
ServerSession::Maybe ServerSession::on_bdat(const Command& command) {
  const Chunk chunk = *parse_bdat(command.argument);
  chunk_left_ = chunk_size_ = chunk.size;
  last_chunk_ = chunk.last;
  finished_ = false;
  if (state_ == State::kRcpt) return await(Verb::kBdat, event::Data{});
  enter_by(Verb::kBdat);
  return on_chunk();
}

// A chunk that makes the message impossible ends it; what is pipelined behind is swallowed (RFC 3030 section 2).
ServerSession::Maybe ServerSession::on_chunk() {
  const std::uint64_t limit = options_.size_limit;
  const auto welcome = [&] { return limit == 0 || encoder_->octets() <= limit; };
  std::string_view in = reader_.rest().substr(0, chunk_left_);
  const std::size_t there = in.size();
  std::optional<std::string_view> piece;
  do {
    piece = encoder_->next(in);
  } while (piece && !welcome());
  reader_.use(there - in.size());
  chunk_left_ -= there - in.size();
  if (piece) return event::Content{*piece};
  if (chunk_left_ > 0) return std::nullopt;
  const auto impossible = [&] {
    return !welcome() || (encoder_->bare_newline() && options_.bare_newline == BareNewline::kReject);
  };
  if (last_chunk_ && !std::exchange(finished_, true)) {
    piece = encoder_->finish();
    if (piece && !impossible()) return event::Content{*piece};
  }
  if (last_chunk_ || impossible()) {
    mail_refused_ = !last_chunk_;  // so that the rest of the message is no error of the client
    return end_of_content(encoder_->octets(), encoder_->bare_newline());
  }
  enter_by(Verb::kChunkEnd);
  fmt::format_to(std::back_inserter(output_), "250 2.0.0 {} octets received\r\n", chunk_size_);
  return std::nullopt;
}

// The octets of a refused BDAT are no commands: its answer comes when they have gone by. A line that does not tell how
// many there are leaves nothing but to close.
void ServerSession::refuse_chunk(Verb verb, std::string_view line, const Reply& reply) {
  const bool sound = verb == Verb::kBdat && line.size() <= kMaxCommand;
  const auto chunk = sound ? parse_bdat(parse_command(line).argument) : std::nullopt;
  if (chunk && chunk->size > 0 && reply.code != 421) {
    swallow_ = chunk->size;
    after_swallow_ = reply.wire();
    return;
  }
  reply.append_wire(output_);
  if (!chunk) enter(State::kClosed);
}

// Whether all has come.
bool ServerSession::swallow() {
  const std::uint64_t here = std::min<std::uint64_t>(swallow_, reader_.buffered());
  reader_.use(here);
  swallow_ -= here;
  if (swallow_ > 0) return false;
  output_ += std::exchange(after_swallow_, {});
  return true;
}

// The first BDAT was refused: its octets go by, and so does the transaction, or a second chunk would be a message.
void ServerSession::end_by_chunk(const Reply& reply) {
  if (chunk_left_ > 0) {
    swallow_ = chunk_left_;
    after_swallow_ = reply.wire();
  } else {
    reply.append_wire(output_);
  }
  mail_refused_ = true;
  held_ = event::Reset{};
  enter(State::kGreeted);
}

}  // namespace holdfast::smtp
