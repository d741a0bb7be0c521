# A pod that runs one command as a service's worker would: its user, its secrets, its way through the network.
#
#   kubectl get statefulset fieldwork-worker -n linework -o json |
#     jq -f deploy/k8s/as-worker.jq --arg command "python -m chassis.restored fieldwork" | kubectl apply -f -
.spec.template as $pod | {
  apiVersion: "v1",
  kind: "Pod",
  metadata: {name: "as-\(.metadata.name)", namespace: .metadata.namespace, labels: $pod.metadata.labels},
  spec: $pod.spec
}
| .spec.restartPolicy = "Never"
| .spec.containers[0].command = ($command | split(" "))
| del(.spec.containers[0]["startupProbe", "readinessProbe", "livenessProbe"])
