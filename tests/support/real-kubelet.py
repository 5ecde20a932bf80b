#!/usr/bin/python3
"""A stand-in for the kubelet on test hosts, which have no images to run: static pods run as processes, with the arguments of their manifests.

Like the kubelet it ends at once until kubeadm gave it a configuration, has its certificate signed for the bootstrap token, registers its
node, shows the API its static pods, and says on port 10248 that it is healthy. Of kube-scheduler only the port answers.
"""
import base64
import glob
import http.server
import json
import os
import re
import ssl
import subprocess
import sys
import threading
import time

CONFIG = "/var/lib/kubelet/config.yaml"
KUBECONFIG = "/etc/kubernetes/kubelet.conf"
BOOTSTRAP = "/etc/kubernetes/bootstrap-kubelet.conf"
MANIFESTS = "/etc/kubernetes/manifests"
PKI = "/etc/kubernetes/pki"
OWN_KEY = "/var/lib/kubelet/key.pem"
OWN_REQUEST = "/var/lib/kubelet/request.pem"
OWN_CERTIFICATE = "/var/lib/kubelet/client.pem"
# etcd's from 3.6 on: Debian 12 has an older one.
UNKNOWN_TO_ETCD = ("--feature-gates", "--watch-progress-notify-interval")
NODE = os.uname().nodename


class Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


def serve(port, context=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Healthy)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def run(*command, text=None):
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: {done.stderr}")
    return done.stdout


def kubectl(kubeconfig, *words, text=None):
    return run("/usr/bin/kubectl", "--kubeconfig", kubeconfig, *words, text=text)


def create(kubeconfig, value):
    """Creates what is not there yet."""
    try:
        kubectl(kubeconfig, "create", "-f", "-", text=json.dumps(value))
    except RuntimeError as error:
        if "AlreadyExists" not in str(error):
            raise


def join():
    """Gets a certificate for the token in the bootstrap kubeconfig, from the cluster's own controllers."""
    subject = f"/O=system:nodes/CN=system:node:{NODE}"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    run("openssl", "req", "-new", *curve, "-nodes", "-keyout", OWN_KEY, "-out", OWN_REQUEST, "-subj", subject)
    with open(OWN_REQUEST, "rb") as file:
        request = base64.b64encode(file.read()).decode()
    title = f"node-csr-{time.time_ns()}"
    spec = {"request": request, "signerName": "kubernetes.io/kube-apiserver-client-kubelet", "usages": ["digital signature", "client auth"]}
    create(BOOTSTRAP, {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": title}, "spec": spec})
    certificate = ""
    while certificate == "":
        time.sleep(0.2)
        certificate = kubectl(BOOTSTRAP, "get", "csr", title, "-o", "jsonpath={.status.certificate}")
    with open(OWN_CERTIFICATE, "wb") as file:
        file.write(base64.b64decode(certificate))
    with open(BOOTSTRAP) as file:
        text = re.sub(r"(?m)^    token: .*$", f"    client-certificate: {OWN_CERTIFICATE}\n    client-key: {OWN_KEY}", file.read())
    with open(KUBECONFIG, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write(text)


def start(pod, path):
    """@returns how to ask whether it still runs"""
    if pod == "kube-scheduler":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{PKI}/apiserver.crt", f"{PKI}/apiserver.key")
        serve(10259, context)
        return lambda: True
    with open(path) as file:
        words = re.search(r"\n  - command:\n((?:    - .*\n)+)", file.read()).group(1)
    command = [line[len("    - "):] for line in words.splitlines()]
    if pod == "etcd":
        command = [word for word in command if not word.startswith(UNKNOWN_TO_ETCD)]
    log = open(f"/var/log/{pod}.log", "a")
    child = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    return lambda: child.poll() is None


def show(path):
    """The API's picture of a static pod."""
    pod = json.loads(kubectl(KUBECONFIG, "create", "--dry-run=client", "--validate=false", "-o", "json", "-f", path))
    metadata = pod["metadata"]
    metadata["name"] += f"-{NODE}"
    metadata.setdefault("annotations", {}).update({"kubernetes.io/config.mirror": "file", "kubernetes.io/config.source": "file"})
    uid = kubectl(KUBECONFIG, "get", "node", NODE, "-o", "jsonpath={.metadata.uid}")
    metadata["ownerReferences"] = [{"apiVersion": "v1", "kind": "Node", "name": NODE, "uid": uid, "controller": True}]
    pod["spec"]["nodeName"] = NODE
    create(KUBECONFIG, pod)


def pods():
    return {os.path.basename(path)[: -len(".yaml")]: path for path in glob.glob(f"{MANIFESTS}/*.yaml")}


def talk():
    """All that goes to the API, which on a control plane is one of the pods, and up later than this."""
    shown, registered = set(), False
    while True:
        try:
            if not os.path.exists(KUBECONFIG):
                join()
            if not registered:
                create(KUBECONFIG, {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE, "labels": {"kubernetes.io/hostname": NODE}}})
                registered = True
            for pod, path in pods().items():
                if pod not in shown:
                    show(path)
                    shown.add(pod)
        except RuntimeError as error:
            print(error, file=sys.stderr, flush=True)
        time.sleep(0.3)


def main():
    if "--version" in sys.argv:
        print("Kubernetes", run("/usr/bin/kubeadm", "version", "-o", "short"), end="")
        return
    if not os.path.exists(CONFIG):
        sys.exit(f"failed to load kubelet config file {CONFIG}")
    serve(10248)
    threading.Thread(target=talk, daemon=True).start()
    running = {}
    while True:
        for pod, path in pods().items():
            if pod not in running or not running[pod]():
                running[pod] = start(pod, path)
        time.sleep(0.3)


main()
