// Rust's standard library: threads, channels, panics caught and not, time, collections, files, the environment.
use std::collections::HashMap;
use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::{mpsc, Arc, Barrier, Condvar, Mutex, RwLock};
use std::time::{Duration, Instant};
use std::{env, fs, panic, process, thread};

fn main() {
    panic::set_hook(Box::new(|_| ())); // its text has the number of the thread
    println!("{} arguments, ABI_TEST={:?}", env::args().count() - 1, env::var("ABI_TEST"));
    let (tx, rx) = mpsc::channel();
    let workers: Vec<_> = (0..8u64)
        .map(|i| {
            let tx = tx.clone();
            thread::spawn(move || {
                for k in 0..1000 {
                    tx.send(i * k).unwrap();
                }
                i
            })
        })
        .collect();
    drop(tx);
    println!("received {}", rx.iter().sum::<u64>());
    println!("joined {}", workers.into_iter().map(|w| w.join().unwrap()).sum::<u64>());
    let caught = panic::catch_unwind(|| {
        let v = vec![1, 2, 3];
        v[env::args().count() + 2]
    });
    println!("panic caught: {}", caught.is_err());
    println!("thread panicked: {}", thread::spawn(|| panic!("on purpose")).join().is_err());
    let shared = Arc::new((Mutex::new(0), Condvar::new(), Barrier::new(4), RwLock::new(HashMap::new())));
    let threads: Vec<_> = (0..4)
        .map(|i| {
            let s = Arc::clone(&shared);
            thread::spawn(move || {
                s.2.wait();
                for round in 0..100 {
                    let mut turn = s.0.lock().unwrap();
                    while *turn % 4 != i {
                        turn = s.1.wait(turn).unwrap();
                    }
                    *turn += 1;
                    s.1.notify_all();
                    s.3.write().unwrap().insert((i, round), round * i);
                }
            })
        })
        .collect();
    for t in threads {
        t.join().unwrap();
    }
    println!("turns {}, entries {}", shared.0.lock().unwrap(), shared.3.read().unwrap().len());
    let start = Instant::now();
    println!("timed out: {}", mpsc::channel::<()>().1.recv_timeout(Duration::from_millis(10)).is_err());
    thread::sleep(Duration::from_millis(5));
    println!("time passes: {}", start.elapsed() >= Duration::from_millis(5));
    let mut f = fs::OpenOptions::new().read(true).write(true).create(true).truncate(true).open("file").unwrap();
    f.write_all(b"some text").unwrap();
    f.seek(SeekFrom::Start(5)).unwrap();
    let mut text = String::new();
    f.read_to_string(&mut text).unwrap();
    println!("{} {}", text, fs::metadata("file").unwrap().len());
    println!("{:?}", fs::read_dir(".").unwrap().count() >= 1);
    fs::remove_file("file").unwrap();
    println!("{:?}", fs::read("none").unwrap_err().kind());
    process::exit(0);
}
