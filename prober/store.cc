#include "prober/store.h"

#include "common/base/log.h"

namespace holdfast::prober {
namespace {

constexpr base::Millis kStaleReaders{10'000};  // design.md section 4

}  // namespace

base::Result<std::unique_ptr<Store>> Store::open(net::Loop& loop, const std::string& state_folder) {
  auto directory = storage::Directory::open(state_folder);
  if (!directory) return std::unexpected(directory.error());
  return std::unique_ptr<Store>(new Store(loop, std::move(*directory)));
}

Store::Store(net::Loop& loop, std::unique_ptr<storage::Directory> directory)
    : loop_(loop),
      directory_(std::move(directory)),
      read_(directory_->env()),
      stale_readers_(loop, [this] { directory_->env().clear_stale_readers(); }) {
  storage::BatchWriter::Hooks hooks;
  hooks.committed = [this, alive = alive_](std::vector<storage::BatchWriter::Done> all) {
    loop_.post([alive, all = std::move(all)] {
      if (!*alive) return;
      for (const auto& done : all) {
        if (done) done();
      }
    });
  };
  hooks.health = [this, alive = alive_](std::optional<base::Error> error) {
    loop_.post([this, alive, error = std::move(error)] {
      if (*alive) told_of_health(error);
    });
  };
  writer_ =
      std::make_unique<storage::BatchWriter>(directory_->env(), storage::BatchWriter::Options{}, std::move(hooks));
  stale_readers_.every(kStaleReaders);
}

Store::~Store() {
  *alive_ = false;
  writer_.reset();
}

void Store::submit(Operation operation, std::function<void()> done, bool urgent) {
  writer_->submit([directory = directory_.get(),
                   operation = std::move(operation)](storage::WriteTxn& txn) { return operation(*directory, txn); },
                  std::move(done), urgent);
}

void Store::read(const std::function<void(const storage::Directory&, const storage::Txn&)>& questions) {
  const storage::ReadTxn::View view(read_);
  if (!view) {
    base::log().warning("directory: cannot read: " + view.error().text);
    return;
  }
  questions(*directory_, read_);
}

std::size_t Store::pending() const { return writer_->pending(); }

void Store::told_of_health(const std::optional<base::Error>& error) {
  failing_ = error.has_value();
  if (error) {
    base::log().error("directory: cannot commit, will try again: " + error->text);
    if (on_failing_) on_failing_();
  } else {
    base::log().notice("directory: commits work again");
  }
}

}  // namespace holdfast::prober
