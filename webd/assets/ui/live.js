// Server-sent events: what has changed, without asking; and the loud knowledge that nothing comes any more.

const SILENCE_MS = 25000; // the server says something at least every 10 s
const RETRY_MS = 3000;

// `on` has status(object), queue(object), lost(), back(), ended(), and alive(): a promise of whether the server answers
// and still knows us. Returns a function that ends it.
export function watch(on) {
  let source = null;
  let retry = 0;
  let guard = 0;
  let lost = false;
  let over = false;

  const heard = () => {
    clearTimeout(guard);
    guard = setTimeout(fail, SILENCE_MS);
    if (lost) {
      lost = false;
      on.back();
    }
  };
  const fail = () => {
    if (over) return;
    source?.close();
    if (!lost) {
      lost = true;
      on.lost();
    }
    clearTimeout(retry);
    clearTimeout(guard);
    retry = setTimeout(again, RETRY_MS);
  };
  const again = async () => {
    const alive = await on.alive();
    if (over) return;
    if (alive) open();
    else retry = setTimeout(again, RETRY_MS);
  };
  const take = (name) => (event) => {
    heard();
    try {
      on[name](JSON.parse(event.data));
    } catch (fault) {
      console.error(fault);
    }
  };
  const open = () => {
    if (over) return;
    source = new EventSource('/api/v1/live');
    source.addEventListener('open', heard);
    source.addEventListener('status', take('status'));
    source.addEventListener('queue', take('queue'));
    source.addEventListener('ping', heard);
    source.addEventListener('end', () => {
      stop();
      on.ended();
    });
    source.addEventListener('error', fail);
    clearTimeout(guard);
    guard = setTimeout(fail, SILENCE_MS);
  };
  const stop = () => {
    over = true;
    clearTimeout(retry);
    clearTimeout(guard);
    removeEventListener('offline', fail);
    source?.close();
  };
  addEventListener('offline', fail);
  open();
  return stop;
}
