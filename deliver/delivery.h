// One job: the attempt to hand one message to its destination, all open recipients in one transaction.
//
// A pooled connection that fails before MAIL is answered is replaced once; a server that fails there is
// followed by the next (design.md section 3). From then on the attempt lives and dies with its connection.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/ipc/messages.h"
#include "common/net/loop.h"
#include "common/upstream/pool.h"
#include "deliver/outcome.h"
#include "deliver/record_source.h"
#include "deliver/rescans.h"

namespace holdfast::deliver {

class Delivery final : private upstream::ConnectionHandler {
 public:
  // How long each part took.
  struct Times {
    base::Millis connecting{0}, transmitting{0};
  };
  // Called once, never inside the constructor; may destroy the Delivery.
  using Done = std::function<void(Delivery&)>;
  // The record of a job, sound in its id, envelope and content: kData or kNotFound when it is not.
  using OpenRecord = std::function<base::Result<storage::Record>(const ipc::Job&)>;

  // `rescans`: where mail that skipped the filters is put through them first; it outlives this. nullptr: nowhere.
  Delivery(net::Loop& loop, ipc::Job job, std::shared_ptr<upstream::Pool> pool, OpenRecord open, Done done,
           Rescans* rescans = nullptr);
  ~Delivery() override;  // cuts a transaction that is under way
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  const ipc::Job& job() const { return job_; }
  const ipc::Outcome& outcome() const { return builder_.outcome(); }
  Times times() const { return times_; }
  // MAIL was sent: ending it now would waste the destination's work.
  bool begun() const { return begun_; }
  // The final dot has gone out and is not answered: ending it now may make a duplicate.
  bool in_doubt();

 private:
  bool open_record();
  void scanned(const Scanned& word);
  std::uint64_t size() const;
  upstream::ContentSource& source();
  void acquire(bool fresh);
  upstream::ClientPtr client() const;
  void acquired(upstream::AcquireResult result);
  void start();
  void hand_over(bool smtputf8);
  void finish();

  void on_mail(const mail::Reply& reply) override;
  void on_rcpt(const mail::Reply& reply) override;
  void on_data_refused(const mail::Reply& reply) override;
  void on_sent(const mail::Reply& reply) override;
  void on_failed(const upstream::Failure& failure) override;

  net::Loop& loop_;
  const ipc::Job job_;
  const std::shared_ptr<upstream::Pool> pool_;
  const OpenRecord open_;
  const Done done_;
  OutcomeBuilder builder_;
  std::unique_ptr<RecordSource> source_;
  std::unique_ptr<Rescans::Scan> scan_;           // null: what is sent is the record
  std::unique_ptr<ScannedSource> scanned_source_;
  std::optional<std::string> sender_;             // a filter's wish
  std::optional<upstream::Failure> elsewhere_;  // why another server is being tried
  std::vector<std::string> avoid_;
  bool replaced_ = false, begun_ = false;
  bool tells_sender_ = false;  // the server offers DSN
  base::Mono asked_, given_;
  Times times_;
  net::Timer unsound_;  // fires at once when the record cannot be sent
  upstream::Pool::Waiter waiter_;
  upstream::Lease lease_;
};

}  // namespace holdfast::deliver
