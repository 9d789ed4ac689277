// One filter's connection: the milter core on a stream, with time-outs. It connects at the first question. What fails
// once is of no more use for the rest of the client's session; what becomes of the mail is the caller's choice.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/base/error.h"
#include "common/filtering/spec.h"
#include "common/milter/filter_session.h"
#include "common/net/stream.h"

namespace holdfast::filtering {

class FilterLink final : private net::StreamHandler {
 public:
  // What the filter says, or why it is of no more use (kTemporary).
  using Said = base::Result<milter::Verdict>;
  using Answer = std::function<void(const Said&)>;
  // Asks one stage; what FilterSession's functions return.
  using Question = std::function<bool(milter::FilterSession&)>;

  FilterLink(net::Loop& loop, FilterSpec spec);
  ~FilterLink() override;  // tells the filter that the client has gone

  // One question at a time. Its answer, if it is there at once; else `answer` is called with it later, once, never inside
  // ask(), and may destroy the link.
  std::optional<Said> ask(Question question, net::Millis limit, Answer answer);
  // The message ends without its verdict. A question under way gets no answer.
  void abort();

  const FilterSpec& spec() const { return spec_; }
  bool failed() const { return !fault_.empty(); }
  // Valid once a question was answered.
  milter::FilterSession& session() { return session_; }

 private:
  void connect();
  void put_question();
  void send();
  void finish(const Said& said);
  void fail(std::string fault);
  Said failure() const;
  void on_events();

  void on_connected() override;
  void on_data(std::string_view bytes) override;
  void on_end(std::string_view reason) override;
  void on_sent() override;

  net::Loop& loop_;
  const FilterSpec spec_;
  milter::FilterSession session_;
  std::unique_ptr<net::Stream> stream_;
  net::Timer deadline_;
  Question question_;       // not yet put: the filter has not answered our offer
  net::Millis limit_{};
  Answer answer_;
  std::string fault_;
  bool ready_ = false;
  bool full_ = false;       // waiting until the filter has taken what it was sent
};

}  // namespace holdfast::filtering
